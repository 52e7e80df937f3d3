import type { TestContext } from 'node:test';
import type { Store } from '../../../app/db/store.ts';
import type { TaskRow } from '../../../app/db/tasks.ts';
import { formatIdentifier } from '../../../app/domain/identifier.ts';
import type { Command, CommandResult, RunCommand } from '../../../shared/process/run-command.ts';
import { makeFolder, openTestStore } from '../http/http-fixture.ts';

let made = 0;

/** A pending task; each is younger than the ones before. */
export function addTask(store: Store, unit: string, image: string | null = null): string {
  made++;
  const at = 1_700_000_000_000 + made;
  const id = formatIdentifier('tsk', at, Buffer.alloc(10, made));
  store.tasks.insert({
    id,
    kind: 'github-webhook',
    unit,
    image,
    created_at: at,
    summary: `${unit} is to run the newest image.`,
    trigger_source: 'webhook',
    trigger_request_id: null,
    trigger_path: null,
    trigger_caller: null,
    webhook_digest: null,
  });
  return id;
}

export function makeStore(context: TestContext): Store {
  return openTestStore(context, makeFolder(context));
}

export function findTask(store: Store, id: string): TaskRow {
  const task = store.tasks.find(id);
  if (!task) throw new Error(`no task ${id}`);
  return task;
}

/** The words of the log of a task. */
export function logOf(store: Store, id: string): string[] {
  return store.taskLogs.listByTask(id).map(({ action }) => action);
}

/** Lets everything run that waits for nothing outside; also while timers are mocked. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

/** A runner that answers each command as the test says, and remembers what was asked. */
export function answerCommands(answer: (argv: readonly string[]) => Partial<CommandResult>) {
  const asked: Command[] = [];
  const run: RunCommand = (command) => {
    asked.push(command);
    return Promise.resolve({
      argv: command.argv,
      end: { kind: 'exited', code: 0 },
      durationMs: 1,
      stdout: '',
      stderr: '',
      stdoutDropped: 0,
      stderrDropped: 0,
      ...answer(command.argv),
    });
  };
  return { run, asked };
}
