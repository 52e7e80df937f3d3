import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type {
  DeliveriesQuery,
  DeliveryDetailView,
  DeliveryPageView,
  ListedDeliveryView,
  MissedPageView,
  RefusedPageView,
} from '../api/delivery-views.ts';
import type { ListedDelivery } from '../db/delivery-pages.ts';
import type { Store } from '../db/store.ts';
import { IGNORED_REASONS } from '../domain/delivery-verdict.ts';
import { maskKeys } from '../domain/mask-keys.ts';

/** A page looks at so many deliveries; where few of them are meant it is short, and the next one goes on behind them. */
const MAX_LOOKED = 20_000;
/** Of a body so much is shown. */
const MAX_TEXT = 65_536;
/** What follows is masked with it: of a secret that is cut not all would be known. */
const MASKED_BEYOND = 1_024;

type DeliveryStore = Pick<Store, 'deliveries' | 'deliveryBodies'>;

/** One page of deliveries, newest first. */
export function listDeliveries(
  { deliveries }: Pick<Store, 'deliveries'>,
  query: DeliveriesQuery,
): DeliveryPageView {
  const { limit, cursor, from, to, ...narrowed } = query;
  const [at = '', ...id] = cursor?.split('.') ?? [];
  const filter = {
    ...narrowed,
    ...(from !== undefined && { from: Date.parse(from) }),
    ...(to !== undefined && { to: Date.parse(to) }),
    ...(cursor !== undefined && { before: { receivedAt: Number(at), id: id.join('.') } }),
  };
  const rows = deliveries.list({ ...filter, limit: limit + 1 }, MAX_LOOKED);
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  // A page that is not full may only have looked at too few; of one unit it looks at those of that unit.
  const floor =
    last || narrowed.unit !== undefined ? undefined : deliveries.findNth(filter, MAX_LOOKED - 1);
  const key = last ? { receivedAt: last.received_at, id: last.id } : floor;
  return {
    deliveries: page.map(toListed),
    next_cursor: key ? `${key.receivedAt}.${key.id}` : null,
  };
}

/** One delivery with everything that is kept of it; DELIVERY_NOT_FOUND. */
export function readDelivery(store: DeliveryStore, id: string): Outcome<DeliveryDetailView> {
  const row = store.deliveries.find(id);
  if (!row) return fail('DELIVERY_NOT_FOUND', '');
  const first = row.reception ?? row.id;
  const text = store.deliveryBodies.find(first)?.toString('utf8');
  const others = row.reception === null ? [] : store.deliveries.listReception(row.reception);
  return succeed({
    ...toListed(row),
    meaning: meaningOf(row.reason),
    path: row.path,
    remote_address: row.remote_address ?? '',
    needs_proof: row.needs_proof === 1,
    headers: row.headers === null ? null : JSON.parse(row.headers),
    understood: row.understood === null ? null : JSON.parse(row.understood),
    body: {
      bytes: row.body_bytes,
      sha256: row.body_sha256,
      kept: text !== undefined,
      text: text === undefined ? null : show(text),
      cut: (text?.length ?? 0) > MAX_TEXT,
    },
    others: others.filter((other) => other.id !== row.id).map(toListed),
    replays: store.deliveries.listReplays(id),
  });
}

/** The beginning, without what is secret by its name; the rest, which can be megabytes, is not looked at. */
function show(text: string): string {
  return maskKeys(text.slice(0, MAX_TEXT + MASKED_BEYOND)).slice(0, MAX_TEXT);
}

/** One page of what was refused, newest first. */
export function listRefused(
  { refusedDeliveries }: Pick<Store, 'refusedDeliveries'>,
  { limit, cursor }: { readonly limit: number; readonly cursor?: number | undefined },
): RefusedPageView {
  const rows = refusedDeliveries.list(limit + 1, cursor);
  return {
    refused: rows.slice(0, limit).map(({ first_at, last_at, ...row }) => ({
      ...{ ...row, first_at: formatTime(first_at), last_at: formatTime(last_at) },
    })),
    next_cursor: nextOf(rows, limit),
  };
}

/** One page of what was pushed and told of by no delivery, newest first. */
export function listMissed(
  { missedDeliveries, totals }: Pick<Store, 'missedDeliveries' | 'totals'>,
  { limit, cursor }: { readonly limit: number; readonly cursor?: number | undefined },
): MissedPageView {
  const rows = missedDeliveries.list(limit + 1, cursor);
  const counts = totals
    .list()
    .filter(
      ({ name, first, second }) => name === 'delivery' && first === 'missed' && second === 'sweep',
    );
  return {
    missed: rows
      .slice(0, limit)
      .map(({ found_at, ...row }) => ({ ...row, found_at: formatTime(found_at) })),
    total: counts.reduce((sum, { count }) => sum + count, 0),
    next_cursor: nextOf(rows, limit),
  };
}

function nextOf(rows: readonly { readonly id: number }[], limit: number): string | null {
  return rows.length > limit ? String(rows[limit - 1]?.id) : null;
}

function toListed(row: ListedDelivery): ListedDeliveryView {
  const { task_id, newest_digest: newest, digest } = row;
  const isSuperseded = digest !== null && newest !== null && digest !== newest;
  return {
    ...{ id: row.id, received_at: formatTime(row.received_at), source: row.source, hook: row.hook },
    ...{ delivery: row.delivery ?? '', event: row.event, unit: row.unit },
    verdict: row.verdict as ListedDeliveryView['verdict'],
    ...{ reason: row.reason, detail: row.detail, image: row.image, matched: row.matched, digest },
    superseded_by: isSuperseded ? newest : null,
    task: task_id === null ? null : { task_id, status: row.task_status ?? 'unknown' },
    ...{ replay_of: row.replay_of, replayed_by: row.replayed_by },
  };
}

function meaningOf(reason: string | null): string | null {
  const known: Readonly<Record<string, string>> = IGNORED_REASONS;
  return reason === null ? null : (known[reason] ?? null);
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}
