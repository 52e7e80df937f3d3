import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { NO_CLOCK } from '../../../shared/config/no-clock.ts';

const SCRIPT = join(import.meta.dirname, '../../../scripts/pod-upgrade-trigger.ts');

export type Ended = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A run of the program from its sources, with nothing of this process's settings. */
export type ProgramRun = {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The first line of the log with this message; rejects where the program ends without it. */
  logged(msg: string): Promise<Readonly<Record<string, unknown>>>;
};

/** How the program is started, where that is not the usual way. */
export type ProgramStart = {
  /** With a channel, as by a supervisor. */
  readonly channel?: true;
  /** A socket that it inherits as descriptor 3. */
  readonly socketFd?: number;
  /** Another program file than the sources: a release. */
  readonly file?: string;
};

/** Starts the program, which begins nothing by the clock; it is killed when the test ends before it. */
export function startProgram(
  context: TestContext,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { channel, socketFd, file = SCRIPT }: ProgramStart = {},
): ProgramRun {
  const child = spawn(process.execPath, [file, ...words], {
    stdio: ['ignore', 'pipe', 'pipe', socketFd ?? 'ignore', channel ? 'ipc' : 'ignore'],
    env: {
      PATH: process.env['PATH'],
      ...(process.env['NODE_V8_COVERAGE'] && { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }),
      ...NO_CLOCK,
      ...environment,
    },
  });
  const output = { stdout: '', stderr: '' };
  const news = new EventTarget();
  let isOver = false;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      news.dispatchEvent(new Event('news'));
    });
  }
  // Not its `close`, which never comes once the test has closed the channel.
  const ends = [
    once(child, 'exit'),
    ...[child.stdout, child.stderr].map((s) => s && once(s, 'close')),
  ];
  const ended = Promise.all(ends).then(([exit]): Ended => {
    const code: number | null = exit?.[0];
    isOver = true;
    news.dispatchEvent(new Event('news'));
    return { code, ...output };
  });
  context.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const logged = async (msg: string) => {
    for (;;) {
      const lines = output.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
      const line = lines.find((one) => one.msg === msg);
      if (line) return line;
      if (isOver) throw new Error(`never logged: ${msg}\n${output.stdout}${output.stderr}`);
      await once(news, 'news');
    }
  };
  return { child, ended, logged };
}

/** Runs the program to its end. */
export function runProgram(
  context: TestContext,
  words: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<Ended> {
  return startProgram(context, words, environment).ended;
}
