import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Database } from './open-database.ts';

/** The delivery_bodies table: bounded in number and bytes at each moment, and in age by what is pruned. */
export type DeliveryBodyTable = {
  /** Keeps the body of a delivery, by the id of its first row; the oldest go where there are too many. */
  keep(delivery: string, receivedAt: number, body: Buffer): void;
  /** Whether it is still there. */
  has(delivery: string): boolean;
  find(delivery: string): Buffer | undefined;
};

/** All of them together, as they are kept. */
const MAX_BYTES = 64 * 1_048_576;
const MAX_COUNT = 20_000;
/** A larger one is not kept: it would take the place of hundreds. */
const MAX_BODY_BYTES = 1_048_576;
const COMPRESSED_FROM_BYTES = 512;
/** At once the oldest of so many go, so that not each new one has to make room. */
const REMOVED_AT_ONCE = 50;
/** As much as the largest webhook body may have: what is read back was read before. */
const MAX_INFLATED_BYTES = 32 * 1_048_576;

/** Prepares the statements of the table. */
export function openDeliveryBodyTable(database: Database): DeliveryBodyTable {
  const insert = database.prepare(
    `INSERT INTO delivery_bodies (delivery, received_at, encoding, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (delivery) DO NOTHING`,
  );
  const find = database.prepare<
    [string],
    { readonly encoding: 'identity' | 'deflate'; readonly body: Buffer }
  >('SELECT encoding, body FROM delivery_bodies WHERE delivery = ?');
  const has = database.prepare<[string]>('SELECT 1 FROM delivery_bodies WHERE delivery = ?');
  const isTooMuch = database
    .prepare<[], 0 | 1>(
      `SELECT count > ${MAX_COUNT} OR bytes > ${MAX_BYTES} FROM delivery_body_totals`,
    )
    .pluck();
  const removeOldest = database.prepare(
    `DELETE FROM delivery_bodies WHERE delivery IN
       (SELECT delivery FROM delivery_bodies ORDER BY received_at LIMIT ${REMOVED_AT_ONCE})`,
  );
  return {
    keep(delivery, receivedAt, body) {
      const isLarge = body.length >= COMPRESSED_FROM_BYTES;
      const kept = isLarge ? deflateRawSync(body, { level: 1 }) : body;
      if (kept.length > MAX_BODY_BYTES) return;
      insert.run(delivery, receivedAt, isLarge ? 'deflate' : 'identity', kept);
      while (isTooMuch.get() === 1 && removeOldest.run().changes > 0);
    },
    has: (delivery) => has.get(delivery) !== undefined,
    find(delivery) {
      const row = find.get(delivery);
      if (!row) return undefined;
      if (row.encoding === 'identity') return row.body;
      return inflateRawSync(row.body, { maxOutputLength: MAX_INFLATED_BYTES });
    },
  };
}
