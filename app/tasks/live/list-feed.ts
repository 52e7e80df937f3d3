import type { UpdateStatusView } from '../../api/self-update-views.ts';
import type { BadgesView } from '../../api/views.ts';
import type { Store } from '../../db/store.ts';
import type { ChangedTask } from '../../db/task-changes.ts';
import { toViews } from '../task-view.ts';
import type { CommitSource } from './commit-source.ts';
import { formatFrame, type LiveReader } from './live-reader.ts';
import { Looks } from './looks.ts';

/** The tables that it reads. */
type Reads = Pick<Store, 'tasks' | 'taskChanges' | 'events' | 'quarantine'>;

/** How far somebody has read: the last change of a task and the last event. */
export type ListPosition = { readonly change: number; readonly event: number };

type Reader = {
  readonly live: LiveReader;
  /** The last change of a task that it was told. */
  change: number;
  isUpToDate: boolean;
};

const PAGE = 200;
/** Lists are looked at by people. */
const PAUSES = { min: 200, perReader: 2, max: 1_000 };

/** The position in the form of an event's id. */
function formatPosition({ change, event }: ListPosition): string {
  return `${change}.${event}`;
}

/** The position that an event's id stands for; undefined where it is none. */
export function parsePosition(text: string): ListPosition | undefined {
  const [, change, event] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (change === undefined || event === undefined) return undefined;
  return { change: Number(change), event: Number(event) };
}

/**
 * Tells what lists and badges show as it changes: tasks, numbers, that there are new events, the update of the program. The
 * same questions for each change, however many read.
 */
export class ListFeed {
  readonly #reads: Reads;
  readonly #looks: Looks;
  readonly #readers = new Set<Reader>();
  #cursor: ListPosition = { change: 0, event: 0 };
  #badges = '';
  /** The newest that was told, which one that still catches up has not heard. */
  #update: UpdateStatusView | undefined;

  constructor(reads: Reads, commits: CommitSource, onError: (error: unknown) => void) {
    this.#reads = reads;
    this.#looks = new Looks({ commits, look: () => this.#look(), pauses: PAUSES, onError });
  }

  /**
   * Tells the reader how it stands and from now on each change; with `after`, first what has changed since, or `reset`
   * where that is not known any more and it has to ask for its lists again.
   */
  join(after: ListPosition | undefined, update: UpdateStatusView, live: LiveReader): void {
    const { oldest, newest } = this.#reads.taskChanges.range();
    const isKnown = after !== undefined && after.change <= newest && after.change >= oldest - 1;
    if (after && !isKnown) live.send(Buffer.from(formatFrame('reset', '{}')));
    const reader: Reader = {
      live,
      change: isKnown ? after.change : newest,
      isUpToDate: false,
    };
    this.#readers.add(reader);
    const begin = () => {
      this.#cursor = this.#findPosition();
      this.#badges = this.#readBadges();
    };
    this.#looks.enter(live, begin, () => this.#readers.delete(reader));
    this.#looks.catchUp(live, this.#catchUp(reader, update));
  }

  /** The update of the program has gone on. */
  tellUpdate(view: UpdateStatusView): void {
    this.#update = view;
    const frame = Buffer.from(formatFrame('self-update', JSON.stringify(view)));
    for (const reader of this.#readers) send(reader, frame);
  }

  /** Health is another one, so what wants a person may be; of tasks and images everybody hears anyway. */
  tellAttention(): void {
    const frame = Buffer.from(formatFrame('attention', '{}'));
    for (const reader of this.#readers) send(reader, frame);
  }

  /** Looks no more. */
  close(): void {
    this.#looks.close();
  }

  async #catchUp(reader: Reader, update: UpdateStatusView): Promise<void> {
    const { live } = reader;
    const { events, taskChanges } = this.#reads;
    while (live.isOpen) {
      const changed = taskChanges.listAfter(reader.change, PAGE);
      reader.change = changed.at(-1)?.seq ?? reader.change;
      const position = { change: reader.change, event: events.newest() };
      if (changed.length > 0) {
        live.send(Buffer.from(this.#formatTasks(changed, position.event)));
      }
      if (changed.length < PAGE) {
        const frames =
          formatFrame('badges', this.#readBadges()) +
          formatFrame('self-update', JSON.stringify(this.#update ?? update)) +
          formatEvents(position);
        live.send(Buffer.from(frames));
        reader.isUpToDate = true;
        return;
      }
      if (!(await live.ready())) return;
    }
  }

  #look(): void {
    if (this.#readers.size === 0) return;
    const { events, taskChanges } = this.#reads;
    const changed = taskChanges.listAfter(this.#cursor.change, PAGE);
    const before = this.#cursor;
    this.#cursor = { change: changed.at(-1)?.seq ?? before.change, event: events.newest() };
    const badges = this.#readBadges();
    const others =
      (badges === this.#badges ? '' : formatFrame('badges', badges)) +
      (this.#cursor.event === before.event ? '' : formatEvents(this.#cursor));
    this.#badges = badges;
    const frames = Buffer.from(this.#formatTasks(changed, before.event) + others);
    for (const reader of this.#readers) {
      // One that joined meanwhile knows some of it.
      const isNew = reader.change <= before.change;
      const unknown = isNew ? changed : changed.filter(({ seq }) => seq > reader.change);
      const own = () => Buffer.from(this.#formatTasks(unknown, before.event) + others);
      send(reader, isNew ? frames : own());
      if (reader.isUpToDate) reader.change = this.#cursor.change;
    }
    if (changed.length === PAGE) this.#looks.ask();
  }

  #formatTasks(changed: readonly ChangedTask[], event: number): string {
    const views = toViews(changed, this.#reads.tasks.countBatches);
    const idOf = (at: number) => formatPosition({ change: changed[at]?.seq ?? 0, event });
    return views.map((view, at) => formatFrame('task', JSON.stringify(view), idOf(at))).join('');
  }

  #findPosition(): ListPosition {
    return { change: this.#reads.taskChanges.range().newest, event: this.#reads.events.newest() };
  }

  #readBadges(): string {
    const open = this.#reads.tasks.countOpen();
    const badges: BadgesView = {
      pending: open.pending,
      running: open.running,
      quarantined: this.#reads.quarantine.count(Date.now()),
    };
    return JSON.stringify(badges);
  }
}

function send({ live, isUpToDate }: Reader, frames: Buffer): void {
  if (isUpToDate && frames.length > 0) live.send(frames);
}

/** Not the events themselves: of a busy host there are thousands in a second, and a list has its filters. */
function formatEvents(position: ListPosition): string {
  const data = JSON.stringify({ newest_id: position.event });
  return formatFrame('events', data, formatPosition(position));
}
