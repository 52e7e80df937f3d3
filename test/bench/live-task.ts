/**
 * Plays the process of a task: runs a command that prints a thousand lines a second, and records it as a task's process
 * does.
 *   node test/bench/live-task.ts DATABASE TASK SECONDS
 */
import { openStore } from '../../app/db/store.ts';
import { recordCommand } from '../../app/tasks/record-command.ts';
import { runCommand } from '../../shared/process/run-command.ts';

const LINES_PER_SECOND = 1_000;
/** Prints its lines in fifty pieces a second, by the clock, so that a slow machine does not print fewer. */
const PRINTER = `
  const [total, perSecond] = process.argv.slice(1).map(Number);
  const from = performance.now();
  let line = 0;
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - from) / 1000) * perSecond));
    let text = '';
    for (; line < due; line++) text += 'line ' + line + ' of what a program has to say\\n';
    process.stdout.write(text);
    if (line === total) clearInterval(timer);
  }, 20);`;

const [path = '', task = '', seconds = '0'] = process.argv.slice(2);
const opened = openStore(path, { version: 'bench', nowMs: Date.now() });
if (!opened.ok) throw new Error(opened.failure.detail);
const store = opened.value;
const attempt = { id: task, attempts: 1 };
const run = recordCommand(runCommand, {
  append: (entry) => store.taskLogs.append({ task_id: task, ...entry }),
  attempt: 1,
  mask: (text) => text,
});
const lines = Number(seconds) * LINES_PER_SECOND;
const argv = [process.execPath, '-e', PRINTER, String(lines), String(LINES_PER_SECOND)] as const;
await run({ argv: [...argv], timeoutMs: 120_000 });
store.tasks.finish(attempt, { status: 'succeeded', summary: 'Printed.', at: Date.now() });
store.close();
