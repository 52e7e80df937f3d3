import { hash } from 'node:crypto';
import type { Database } from './open-database.ts';

/** Where the chain of hashes begins and ends. Hashes are hexadecimal. */
export type EventChain = {
  /** Rows up to here are older than the chain and carry no hash. */
  readonly unchainedId: number;
  /** The last row before the oldest one that is kept: removed by retention, or older than the chain. */
  readonly anchorId: number;
  readonly anchorHash: string;
  /** The newest row. */
  readonly headId: number;
  readonly headHash: string;
  /** How many rows of the chain are kept. */
  readonly keptRows: number;
  /** How many rows retention has removed so far, those older than the chain included. */
  readonly removedRows: number;
  /** When it did so last, in milliseconds since 1970. */
  readonly removedAt: number | null;
};

/** The one row of `event_chain`. */
export type EventChainRecord = {
  /** The chain, and whether its record is as this program wrote it; undefined where there is none. */
  read(): { readonly chain: EventChain; readonly isSealed: boolean } | undefined;
  /** To be called in the transaction that changed the rows. */
  write(chain: EventChain): void;
};

type Row = {
  readonly unchained_id: number;
  readonly anchor_id: number;
  readonly anchor_hash: Buffer;
  readonly head_id: number;
  readonly head_hash: Buffer;
  readonly kept_rows: number;
  readonly removed_rows: number;
  readonly removed_at: number | null;
  readonly seal: Buffer | null;
};

/** Prepares the statements of the record. */
export function openEventChain(database: Database): EventChainRecord {
  const select = database.prepare<[], Row>('SELECT * FROM event_chain');
  const update = database.prepare(
    `UPDATE event_chain SET unchained_id = ?, anchor_id = ?, anchor_hash = ?, head_id = ?, head_hash = ?,
       kept_rows = ?, removed_rows = ?, removed_at = ?, seal = ?`,
  );
  return {
    read() {
      const row = select.get();
      if (!row) return undefined;
      const chain = toChain(row);
      const isUntouched = chain.headId === chain.unchainedId && chain.removedRows === 0;
      const isSealed = row.seal === null ? isUntouched : row.seal.toString('hex') === seal(chain);
      return { chain, isSealed };
    },
    write(chain) {
      update.run(
        chain.unchainedId,
        chain.anchorId,
        Buffer.from(chain.anchorHash, 'hex'),
        chain.headId,
        Buffer.from(chain.headHash, 'hex'),
        chain.keptRows,
        chain.removedRows,
        chain.removedAt,
        Buffer.from(seal(chain), 'hex'),
      );
    },
  };
}

function toChain(row: Row): EventChain {
  return {
    unchainedId: row.unchained_id,
    anchorId: row.anchor_id,
    anchorHash: row.anchor_hash.toString('hex'),
    headId: row.head_id,
    headHash: row.head_hash.toString('hex'),
    keptRows: row.kept_rows,
    removedRows: row.removed_rows,
    removedAt: row.removed_at,
  };
}

/** A hash of the record itself, so that an edited end is not taken for an edited row. */
function seal(chain: EventChain): string {
  const { unchainedId, anchorId, anchorHash, headId, headHash } = chain;
  const { keptRows, removedRows, removedAt } = chain;
  return hash(
    'sha256',
    JSON.stringify([
      unchainedId,
      anchorId,
      anchorHash,
      headId,
      headHash,
      keptRows,
      removedRows,
      removedAt,
    ]),
  );
}
