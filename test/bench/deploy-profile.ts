import type { TaskDetailView } from '../../app/api/views.ts';
import { median } from './median.ts';

type Recorded = {
  readonly argv: readonly string[];
  readonly kind: string;
  readonly duration_ms: number;
};

/** Prints what the tasks spent their time on: medians in milliseconds, and how often in a task. */
export function printProfile(tasks: readonly TaskDetailView[]): void {
  const commands = new Map<string, number[]>();
  const whole: number[] = [];
  const inCommands: number[] = [];
  const waited: number[] = [];
  for (const task of tasks) {
    const began = Date.parse(task.started_at ?? '');
    whole.push(Date.parse(task.finished_at ?? '') - began);
    const dispatched = task.logs.find(({ action }) => action === 'task-dispatched');
    waited.push(began - Date.parse(dispatched?.ts ?? ''));
    let sum = 0;
    for (const { action, meta } of task.logs) {
      if (action !== 'command') continue;
      const { argv, kind, duration_ms: ms } = meta as Recorded;
      const name = argv
        .filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('--'))
        .slice(0, 3)
        .concat(kind === 'answered' ? '(service)' : [])
        .join(' ');
      commands.set(name, [...(commands.get(name) ?? []), ms]);
      sum += ms;
    }
    inCommands.push(sum);
  }
  console.log(`\nhanded over to begun ${median(waited)} ms, begun to ended ${median(whole)} ms`);
  console.log(`of that in recorded commands ${median(inCommands)} ms`);
  for (const [name, times] of commands) {
    const each = (times.length / tasks.length).toFixed(1);
    console.log(`${String(median(times)).padStart(7)} ms  ${each.padStart(4)} times  ${name}`);
  }
}
