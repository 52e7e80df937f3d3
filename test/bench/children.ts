import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Long enough for a clean stop that still has a spool to take over. */
const END_WITHIN_MS = 90_000;
const QUIET_WITHIN_MS = 120_000;
const QUIET_MS = 500;
/** Of 10 ms each: a process that does nothing may still be woken. */
const QUIET_TICKS = 1;

/** The processes of a bench: none outlives it. */
export class Children {
  readonly #running = new Set<ChildProcess>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Starts a program whose whole output goes to a file, as that of a service would. */
  start(argv: readonly string[], environment: NodeJS.ProcessEnv, outputFile: string): ChildProcess {
    this.#signal.throwIfAborted();
    const [file = '', ...args] = argv;
    const output = openSync(outputFile, 'a', 0o600);
    const child = spawn(file, args, { env: environment, stdio: ['ignore', output, output] });
    closeSync(output);
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    // Without a pid there is no exit; whoever waits for the program to serve then says what is wrong.
    child.once('error', () => this.#running.delete(child));
    return child;
  }

  /** Runs a program to its end and returns what it printed; throws when it fails or takes longer than `limitMs`. */
  async run(argv: readonly string[], limitMs: number): Promise<string> {
    const [file = '', ...args] = argv;
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
      signal: this.#signal,
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const [code, signal] = await once(child, 'close');
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code ?? signal}: ${output}`);
    return output;
  }

  /** Tells a program to stop; SIGKILL, and false, when it has not done so cleanly in time. */
  async end(child: ChildProcess): Promise<boolean> {
    if (!this.#running.has(child)) return child.exitCode === 0;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
    await exited;
    clearTimeout(timer);
    return child.exitCode === 0;
  }

  /** Ends whatever still runs. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.end(child)));
  }
}

/** Waits until the processes rest, so that one server's unfinished work does not slow down the next; milliseconds. */
export async function waitUntilQuiet(
  pids: readonly number[],
  signal: AbortSignal,
): Promise<number> {
  const start = performance.now();
  for (let before = countTicks(pids); ; ) {
    await delay(QUIET_MS, undefined, { signal });
    const now = countTicks(pids);
    const waited = performance.now() - start;
    if (now - before <= QUIET_TICKS) return waited - QUIET_MS;
    if (waited > QUIET_WITHIN_MS) throw new Error(`No rest in ${QUIET_WITHIN_MS} ms.`);
    before = now;
  }
}

/** The children of a process, proc_pid_task(5). */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** CPU time of the processes and of the children they have waited for, proc_pid_stat(5), in ticks. */
function countTicks(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks;
}
