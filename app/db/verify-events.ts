import type { EventChain, EventChainRecord } from './event-chain.ts';
import { HASHED_COLUMNS, type HashedValues, hashEvent } from './event-row.ts';
import type { Database } from './open-database.ts';

/** What is wrong with the log, and where it is seen first. */
export type EventFault = {
  readonly kind: /** A row is not what was recorded. */
    | 'edited'
    /** Rows in the middle are gone. */
    | 'missing'
    /** A row was not written by this program. */
    | 'put-in'
    | 'cut-at-beginning'
    | 'cut-at-end'
    /** The record of where the chain begins and ends is not what was written. */
    | 'record-edited'
    /** The number of rows is not the recorded one. */
    | 'count-differs'
    /** The head that was noted earlier is not in the chain. */
    | 'head-not-found';
  /** The first row that is wrong or missing; null where it is none of the rows. */
  readonly id: number | null;
  /** In words. */
  readonly detail: string;
};

/** What looking through the log came to. */
export type EventVerification = {
  /** The first fault; null: everything fits. */
  readonly fault: EventFault | null;
  /** How many rows were looked at and fit. */
  readonly verified: number;
  /** How many rows are older than the chain: nothing is known of them. */
  readonly unchained: number;
  readonly chain: EventChain | null;
};

/** Looks through the chain from its beginning; `notedHead` is a head that was noted earlier, in hexadecimal. */
export type EventVerifier = (notedHead?: string) => EventVerification;

/** In one transaction, so that a long look does not keep the log of the database from being emptied. */
const CHUNK = 5_000;

type RawRow = [...HashedValues, Buffer | null];
type At = { readonly id: number; readonly hash: string; readonly isAnchor: boolean };

/** Prepares the statements. */
export function createEventVerifier(database: Database, record: EventChainRecord): EventVerifier {
  return (notedHead) => new Walk(database, record, notedHead).run();
}

/** One way through the chain, while others may write to it. */
class Walk {
  readonly #database: Database;
  readonly #record: EventChainRecord;
  readonly #notedHead: string | undefined;
  #isNotedFound = false;
  #verified = 0;
  #chain: EventChain | undefined;
  #at: At | undefined;

  constructor(database: Database, record: EventChainRecord, notedHead: string | undefined) {
    this.#database = database;
    this.#record = record;
    this.#notedHead = notedHead;
  }

  run(): EventVerification {
    const step = this.#database.transaction(() => this.#step());
    for (;;) {
      const came = step();
      if (came === 'more') continue;
      const unchained = this.#database
        .prepare<[number], number>('SELECT count(*) FROM events WHERE id <= ?')
        .pluck()
        .get(this.#chain?.unchainedId ?? 0);
      return {
        fault: came === 'end' ? null : came,
        verified: this.#verified,
        unchained: unchained ?? 0,
        chain: this.#chain ?? null,
      };
    }
  }

  /** Some rows more, and the record as it is together with them. */
  #step(): EventFault | 'more' | 'end' {
    const read = this.#record.read();
    if (!read) return fault('record-edited', null, 'The record of the chain is gone.');
    const { chain } = read;
    this.#chain = chain;
    if (!read.isSealed) return this.#explainRecord(chain);
    // At the start, and again where retention has removed what comes next.
    if (!this.#at || chain.anchorId > this.#at.id) {
      const early = this.#findBefore(chain);
      if (early) return early;
      this.#at = { id: chain.anchorId, hash: chain.anchorHash, isAnchor: true };
      this.#verified = 0;
      this.#note(chain.anchorHash);
    }
    const rows = this.#readRows(this.#at.id);
    for (const row of rows) {
      const wrong = this.#look(row, chain);
      if (wrong) return wrong;
    }
    return rows.length === CHUNK ? 'more' : (this.#lookAtEnd(chain) ?? 'end');
  }

  #look(row: RawRow, chain: EventChain): EventFault | undefined {
    const at = this.#at;
    if (!at) return undefined;
    const id = Number(row[0]);
    if (id > chain.headId) {
      return at.id < chain.headId
        ? cutAtEnd(at.id + 1, chain.headId)
        : fault('put-in', id, `Row ${id} was put in behind the head, row ${chain.headId}.`);
    }
    if (id !== at.id + 1) {
      const span = describeSpan(at.id + 1, id - 1);
      return at.isAnchor
        ? fault('cut-at-beginning', at.id + 1, `${span} missing at the beginning.`)
        : fault('missing', at.id + 1, `${span} missing.`);
    }
    const values = row.slice(0, HASHED_COLUMNS.length) as HashedValues;
    const hash = (row.at(-1) as Buffer | null)?.toString('hex');
    if (hash === undefined) {
      return fault('put-in', id, `Row ${id} was put in: it carries no hash.`);
    }
    if (hashEvent(at.hash, values) !== hash) {
      return fault('edited', id, `Row ${id} was edited, or put in the place of another.`);
    }
    this.#at = { id, hash, isAnchor: false };
    this.#verified++;
    this.#note(hash);
    return undefined;
  }

  #lookAtEnd({ headId, headHash, keptRows }: EventChain): EventFault | undefined {
    const at = this.#at;
    if (!at) return undefined;
    if (at.id < headId) return cutAtEnd(at.id + 1, headId);
    if (at.hash !== headHash) {
      return fault('record-edited', headId, `The head is not the hash of row ${headId}.`);
    }
    if (this.#verified !== keptRows) {
      const detail = `${keptRows} rows are recorded, and there are ${this.#verified}: rows were put in or taken out among those that retention has removed since.`;
      return fault('count-differs', null, detail);
    }
    if (this.#notedHead !== undefined && !this.#isNotedFound) {
      const detail =
        'The noted head is no row of the log: it was rewritten, or retention has removed that row.';
      return fault('head-not-found', null, detail);
    }
    return undefined;
  }

  /** Rows that stand before the beginning, where retention has removed everything. */
  #findBefore({ unchainedId, anchorId }: EventChain): EventFault | undefined {
    const id = this.#database
      .prepare<[number, number], number>(
        'SELECT id FROM events WHERE id > ? AND id <= ? ORDER BY id LIMIT 1',
      )
      .pluck()
      .get(unchainedId, anchorId);
    return id === undefined
      ? undefined
      : fault('put-in', id, `Row ${id} was put in before the beginning, row ${anchorId + 1}.`);
  }

  /** Which end of a record that was edited does not fit the rows. */
  #explainRecord({ anchorId, anchorHash, headId, headHash }: EventChain): EventFault {
    const [first] = this.#readRows(anchorId);
    const last = this.#database
      .prepare<[], { id: number; hash: Buffer | null }>(
        'SELECT id, hash FROM events ORDER BY id DESC LIMIT 1',
      )
      .get();
    const isHeadRight = last?.id === headId && last.hash?.toString('hex') === headHash;
    const isAnchorRight =
      first?.[0] === anchorId + 1 &&
      hashEvent(anchorHash, first.slice(0, HASHED_COLUMNS.length) as HashedValues) ===
        (first.at(-1) as Buffer | null)?.toString('hex');
    const parts = [
      ...(isAnchorRight ? [] : [`its beginning does not fit row ${first?.[0] ?? 'none'}`]),
      ...(isHeadRight ? [] : [`its head does not fit row ${last?.id ?? 'none'}`]),
    ];
    const what = parts.length === 0 ? 'its figures are not those written' : parts.join(', ');
    return fault(
      'record-edited',
      null,
      `The record of the chain (event_chain) was edited: ${what}.`,
    );
  }

  #readRows(after: number): RawRow[] {
    return this.#database
      .prepare<[number], RawRow>(
        `SELECT ${HASHED_COLUMNS.join(', ')}, hash FROM events WHERE id > ? ORDER BY id LIMIT ${CHUNK}`,
      )
      .raw()
      .all(after) as RawRow[];
  }

  #note(hash: string): void {
    if (hash === this.#notedHead) this.#isNotedFound = true;
  }
}

function cutAtEnd(first: number, last: number): EventFault {
  return fault('cut-at-end', first, `${describeSpan(first, last)} missing at the end.`);
}

function describeSpan(first: number, last: number): string {
  return first === last ? `Row ${first} is` : `Rows ${first} to ${last} are`;
}

function fault(kind: EventFault['kind'], id: number | null, detail: string): EventFault {
  return { kind, id, detail };
}
