import type { Store } from '../../db/store.ts';
import type { TaskLogRow } from '../../db/task-logs.ts';
import { isFinal, type TaskStatus } from '../../domain/task.ts';
import { formatLog } from '../format-log.ts';
import type { CommitSource } from './commit-source.ts';
import { formatFrame, type LiveReader } from './live-reader.ts';
import { Looks } from './looks.ts';

/** The tables that it reads. */
type Reads = Pick<Store, 'tasks' | 'taskLogs'>;

type Reader = {
  readonly live: LiveReader;
  /** The last entry that it was told. */
  last: number;
  /** It has all there was, and is told the next together with the others. */
  isUpToDate: boolean;
};

/** Parts of one look; what is more is for the next one, so that others have their turn. */
const MAX_PARTS = 10;
const PAUSES = { min: 100, perReader: 5, max: 1_000 };

/**
 * Tells the entries of tasks' logs to all who read them, as they are written, by whichever process: two questions for each
 * change, however many read, and each entry is made into a frame once.
 */
export class TaskLogFeed {
  readonly #reads: Reads;
  readonly #looks: Looks;
  readonly #tasks = new Map<string, Set<Reader>>();
  /** The last entry of any task that was looked at. */
  #cursor = 0;

  constructor(reads: Reads, commits: CommitSource, onError: (error: unknown) => void) {
    this.#reads = reads;
    this.#looks = new Looks({ commits, look: () => this.#look(), pauses: PAUSES, onError });
  }

  /** From now on the reader is told the entries after `after`, at once those that are there, and when the task is over. */
  join(task: string, after: number, live: LiveReader): void {
    const reader: Reader = { live, last: after, isUpToDate: false };
    const readers = this.#tasks.get(task) ?? new Set();
    this.#tasks.set(task, readers.add(reader));
    const begin = () => {
      this.#cursor = this.#reads.taskLogs.newest();
    };
    this.#looks.enter(live, begin, () => this.#leave(task, reader));
    this.#looks.catchUp(live, this.#catchUp(task, reader));
  }

  /** Looks no more. */
  close(): void {
    this.#looks.close();
  }

  #leave(task: string, reader: Reader): void {
    const readers = this.#tasks.get(task);
    readers?.delete(reader);
    if (readers?.size === 0) this.#tasks.delete(task);
  }

  async #catchUp(task: string, reader: Reader): Promise<void> {
    const { live } = reader;
    while (live.isOpen) {
      // The state first: what ends a task writes its last entry together with it.
      const status = this.#reads.tasks.statusesOf([task]).get(task);
      const { rows, isEnd } = this.#reads.taskLogs.listAfter(task, reader.last);
      if (rows.length > 0) tell(reader, rows, formatAll(rows));
      if (isEnd) {
        if (isOver(status)) live.end(formatEnd(status));
        reader.isUpToDate = true;
        return;
      }
      if (!(await live.ready())) return;
    }
  }

  #look(): void {
    if (this.#tasks.size === 0) return;
    const { tasks, taskLogs } = this.#reads;
    const statuses = tasks.statusesOf([...this.#tasks.keys()]);
    for (let part = 0; part < MAX_PARTS; part++) {
      const { rows, isEnd } = taskLogs.listNewer(this.#cursor);
      this.#cursor = rows.at(-1)?.id ?? this.#cursor;
      this.#tell(rows);
      if (isEnd) {
        this.#endThoseOver(statuses);
        return;
      }
    }
    this.#looks.ask();
  }

  #tell(rows: readonly TaskLogRow[]): void {
    for (const [task, own] of Map.groupBy(rows, ({ task_id }) => task_id)) {
      const readers = [...(this.#tasks.get(task) ?? [])].filter(({ isUpToDate }) => isUpToDate);
      if (readers.length === 0) continue;
      const frames = formatAll(own);
      for (const reader of readers) tell(reader, own, frames);
    }
  }

  #endThoseOver(statuses: ReadonlyMap<string, TaskStatus>): void {
    for (const [task, readers] of this.#tasks) {
      const status = statuses.get(task);
      if (!isOver(status)) continue;
      for (const { live, isUpToDate } of [...readers]) {
        if (isUpToDate) live.end(formatEnd(status));
      }
    }
  }
}

/** Those that came while it caught up it may know already. */
function tell(reader: Reader, rows: readonly TaskLogRow[], frames: Buffer): void {
  const first = rows[0]?.id ?? 0;
  const unknown = first > reader.last ? rows : rows.filter(({ id }) => id > reader.last);
  if (unknown.length === 0) return;
  reader.live.send(unknown === rows ? frames : formatAll(unknown));
  reader.last = unknown.at(-1)?.id ?? reader.last;
}

function formatAll(rows: readonly TaskLogRow[]): Buffer {
  return Buffer.from(rows.map((row) => formatFrame('log', formatLog(row), row.id)).join(''));
}

/** A task that is not there any more was removed after its time. */
function isOver(status: TaskStatus | undefined): boolean {
  return status === undefined || isFinal(status);
}

function formatEnd(status: TaskStatus | undefined): Buffer {
  return Buffer.from(formatFrame('end', JSON.stringify({ status: status ?? 'gone' })));
}
