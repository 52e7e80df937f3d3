import { readdirSync, readFileSync } from 'node:fs';

const NS_PER_MS = 1e6;

/** The time that all threads of a process have run, in milliseconds (proc_pid_schedstat(5)); of 10 ms ticks there are too few. */
export function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((id) => readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8'));
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / NS_PER_MS;
}
