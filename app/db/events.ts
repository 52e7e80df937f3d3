import { openEventBlocks } from './event-blocks.ts';
import { openEventChain } from './event-chain.ts';
import { type EventPage, EventPages, type EventQuery } from './event-pages.ts';
import { HASHED_COLUMNS, hashEvent, type NewEvent, toHashedValues } from './event-row.ts';
import type { Database } from './open-database.ts';
import { createEventRemoval, type EventRemoval } from './remove-events.ts';
import { createEventVerifier, type EventVerifier } from './verify-events.ts';

/** The events table: append only, each row chained to the one before by its hash. */
export type EventTable = EventRemoval & {
  /** One transaction for all. */
  insertAll(events: readonly NewEvent[]): void;
  /** One page, newest first, in bounded time whatever is asked for. */
  list(query: EventQuery): EventPage;
  /** The id of the last one; zero where there is none. */
  newest(): number;
  /** Looks through the whole chain. */
  readonly verify: EventVerifier;
};

/** Prepares the statements of the table. */
export function openEventTable(database: Database): EventTable {
  const insert = database.prepare(
    `INSERT INTO events (${HASHED_COLUMNS.join(', ')}, hash)
     VALUES (${'?, '.repeat(HASHED_COLUMNS.length)}?)`,
  );
  const readNewestId = database.prepare<[], number | null>('SELECT max(id) FROM events').pluck();
  const record = openEventChain(database);
  const blocks = openEventBlocks(database);
  const pages = new EventPages(database);
  const insertAll = database.transaction((events: readonly NewEvent[]) => {
    const chain = record.read()?.chain;
    if (!chain) throw new Error('event_chain is empty: the hashes of events have no beginning');
    // A row that somebody else put in has taken the next id: it is passed over, and told by whoever verifies.
    const firstId = Math.max(chain.headId, readNewestId.get() ?? 0) + 1;
    let id = firstId - 1;
    let head = chain.headHash;
    for (const event of events) {
      id++;
      const values = toHashedValues(id, event);
      head = hashEvent(head, values);
      insert.run(...values, Buffer.from(head, 'hex'));
    }
    blocks.add(
      firstId,
      events.map(({ ts }) => ts),
    );
    const keptRows = chain.keptRows + events.length;
    record.write({ ...chain, headId: id, headHash: head, keptRows });
  });
  return {
    newest: () => readNewestId.get() ?? 0,
    // Several processes write: whoever reads the head holds the write lock already.
    insertAll: (events) => {
      if (events.length > 0) insertAll.immediate(events);
    },
    list: (query) => pages.find(query),
    verify: createEventVerifier(database, record),
    ...createEventRemoval(database, record, blocks),
  };
}
