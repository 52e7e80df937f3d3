import type { DeliveryRow } from './deliveries.ts';
import type { Database } from './open-database.ts';

/** Where a delivery stands in every list: newest first. */
export type DeliveryKey = { readonly receivedAt: number; readonly id: string };

/** Which deliveries are meant; each condition that is there narrows them. */
export type DeliveryFilter = {
  readonly hook?: string | undefined;
  readonly source?: string | undefined;
  readonly unit?: string | undefined;
  readonly verdict?: string | undefined;
  readonly reason?: string | undefined;
  /** Received at this moment or later, in milliseconds since the epoch. */
  readonly from?: number | undefined;
  /** Received before this moment. */
  readonly to?: number | undefined;
  /** Those that stand behind this one. */
  readonly before?: DeliveryKey | undefined;
};

/** A delivery with what is known of the task that answers it. */
export type ListedDelivery = DeliveryRow & {
  readonly task_status: string | null;
  /** What was announced for that task last: another one than the delivery's own has superseded it. */
  readonly newest_digest: string | null;
};

/** The questions of lists to the deliveries table. */
export type DeliveryPages = {
  find(id: string): ListedDelivery | undefined;
  /** All rows of one delivery, by the id of its first: one for each unit that it concerns. */
  listReception(reception: string): ListedDelivery[];
  /** The ids of what was made of a delivery when it was replayed, oldest first, at most 100. */
  listReplays(id: string): string[];
  /** Newest first, among the next `looked` of them; whether there are more behind these is not said. */
  list(filter: DeliveryFilter & { readonly limit: number }, looked: number): ListedDelivery[];
  /** The one that stands `places` behind the beginning of the filter's time; undefined: there are fewer. */
  findNth(
    filter: Pick<DeliveryFilter, 'from' | 'to' | 'before'>,
    places: number,
  ): DeliveryKey | undefined;
};

const LISTED = `SELECT deliveries.*, tasks.status AS task_status, tasks.webhook_digest AS newest_digest
  FROM deliveries LEFT JOIN tasks ON tasks.id = deliveries.task_id`;

const IN_TIME = `received_at >= @from AND received_at < @to AND (received_at, id) < (@beforeAt, @beforeId)`;
const ORDER = 'ORDER BY received_at DESC, id DESC';
const NARROWED = ['hook', 'source', 'verdict', 'reason']
  .map((column) => `(@${column} IS NULL OR ${column} = @${column})`)
  .join(' AND ');

/** Prepares the questions. */
export function openDeliveryPages(database: Database): DeliveryPages {
  const find = database.prepare<[string], ListedDelivery>(`${LISTED} WHERE deliveries.id = ?`);
  const listReception = database.prepare<[string], ListedDelivery>(
    `${LISTED} WHERE deliveries.reception = ? ORDER BY deliveries.id LIMIT 1000`,
  );
  const listReplays = database
    .prepare<[string], string>(
      'SELECT id FROM deliveries WHERE replay_of = ? ORDER BY received_at, id LIMIT 100',
    )
    .pluck();
  // The page is found by an index alone, and only what is on it is read.
  const listBy = (index: string, unit: string) =>
    database.prepare<object, ListedDelivery>(
      `${LISTED} WHERE deliveries.id IN (SELECT id FROM
         (SELECT id, received_at, hook, source, verdict, reason FROM deliveries INDEXED BY ${index}
          WHERE ${unit} ${IN_TIME} ${ORDER} LIMIT @looked)
         WHERE ${NARROWED} LIMIT @limit)
       ORDER BY deliveries.received_at DESC, deliveries.id DESC`,
    );
  const listAll = listBy('deliveries_listed', '');
  const listOfUnit = listBy('deliveries_of_unit', 'unit = @unit AND');
  const findNth = database.prepare<object, { received_at: number; id: string }>(
    `SELECT received_at, id FROM deliveries INDEXED BY deliveries_listed WHERE ${IN_TIME} ${ORDER} LIMIT 1 OFFSET @places`,
  );
  const timeOf = ({ from, to, before }: Pick<DeliveryFilter, 'from' | 'to' | 'before'>) => ({
    from: from ?? 0,
    to: to ?? Number.MAX_SAFE_INTEGER,
    beforeAt: before?.receivedAt ?? Number.MAX_SAFE_INTEGER,
    beforeId: before?.id ?? '',
  });
  return {
    find: (id) => find.get(id),
    listReception: (reception) => listReception.all(reception),
    listReplays: (id) => listReplays.all(id),
    list: ({ limit, ...filter }, looked) => {
      const { unit = null, hook = null, source = null, verdict = null, reason = null } = filter;
      const narrowed = { hook, source, verdict, reason, limit, looked, ...timeOf(filter) };
      return unit === null ? listAll.all(narrowed) : listOfUnit.all({ ...narrowed, unit });
    },
    findNth: (filter, places) => {
      const row = findNth.get({ ...timeOf(filter), places });
      return row && { receivedAt: row.received_at, id: row.id };
    },
  };
}
