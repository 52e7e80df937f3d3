import type { TaskDetailView, TaskLogsView, TaskLogView } from './views.ts';

/** A task without its log. */
export type TaskHead = Omit<TaskDetailView, keyof TaskLogsView>;

/** What a task is, for people: one line for each thing that is known. */
export function formatTask(task: TaskHead): string {
  const { trigger, digests, error } = task;
  const lines: readonly (readonly [string, string | null])[] = [
    ['task', `${task.task_id} (${task.kind})`],
    ['unit', task.unit],
    ['image', task.image],
    ['status', `${task.status}, ${task.phase}, attempts: ${task.attempts}`],
    ['summary', task.summary],
    ['error', error && `${error.code}: ${error.sentence} ${error.detail}`.trim()],
    ['hint', error?.hint ?? null],
    ['asked by', `${trigger.caller ?? trigger.source} (${trigger.source})`],
    ['reason', trigger.reason],
    ['request', trigger.request_id],
    ['batch', task.batch_id],
    ['retry of', task.retry_of],
    ['retried as', task.retried_as.join(' ') || null],
    ['stopped by', task.stop && (task.stop.forced_by ?? task.stop.requested_by)],
    ['created', task.created_at],
    ['started', task.started_at],
    ['finished', task.finished_at],
    ['pushed', digests.webhook],
    ['registry', digests.registry],
    ['pulled', digests.pulled],
    ['running', [digests.running, task.running_image].filter(Boolean).join(' ') || null],
    ...task.deliveries.map(
      ({ received_at: at, delivery, event }) => ['delivery', `${at} ${event} ${delivery}`] as const,
    ),
  ];
  return lines
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.padEnd(10)}  ${toLine(value ?? '')}\n`)
    .join('');
}

/** An entry of a log, for people: one line, and below it, indented, what a command was and what it said. */
export function formatLogEntry({ ts, level, action, summary, meta }: TaskLogView): string {
  const head = `${ts}  ${level.padEnd(7)}  ${action}  ${toLine(summary)}\n`;
  const { argv, stdout, stderr, duration_ms: ms } = (meta ?? {}) as CommandMeta;
  if (!Array.isArray(argv)) return head;
  const command = `    $ ${argv.map(toLine).join(' ')}  (${ms} ms)\n`;
  return head + command + indent('stdout', stdout) + indent('stderr', stderr);
}

/** What an entry of a command has, as far as it is shown. */
type CommandMeta = {
  readonly argv?: readonly string[];
  readonly duration_ms?: number;
  readonly stdout?: string;
  readonly stderr?: string;
};

function indent(name: string, text: string | undefined): string {
  if (text === undefined || text === '') return '';
  const lines = text.replace(/\n$/, '').split('\n');
  return `    ${name}:\n${lines.map((line) => `      ${toLine(line)}\n`).join('')}`;
}

/** On one line, and nothing that a terminal takes for a command. */
function toLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[^\P{Cc}\t]/gu, '\uFFFD');
}
