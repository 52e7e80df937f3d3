import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { HooksView } from '../api/info-views.ts';
import type { HookRow } from '../db/hooks.ts';
import type { Store } from '../db/store.ts';

/** Where GitHub reports what was pushed. */
export const HOOK_PREFIX = '/github-package-update';

type Parts = {
  readonly store: Pick<Store, 'hooks'>;
  /** The units that webhooks may update. */
  readonly units: readonly string[];
  readonly imageOf: (unit: string) => string | null;
  /** The codes with which a webhook is refused. */
  readonly refusals: readonly ErrorCode[];
  readonly baseUrl: string | undefined;
  readonly hasSecret: boolean;
  readonly listStored: () => HooksView['hooks'];
};

/** How the webhooks of the units have come in. What strangers send to other paths makes no entry. */
export function viewHooks(parts: Parts, nowMs: number): HooksView {
  const { store, units, refusals } = parts;
  const slugs = units.map((unit) => ({ unit, slug: unit.replace(/\.service$/, '') }));
  const paths = slugs.flatMap(pathsOf);
  const rows = Map.groupBy(store.hooks.lastOf(paths, [null, ...refusals]), ({ path }) => path);
  const accepted = store.hooks.lastAccepted(units);
  const views = slugs.map((one) => {
    const known = pathsOf(one).flatMap((path) => rows.get(path) ?? []);
    return viewHook(parts, one, known, accepted.get(one.unit));
  });
  return {
    now: toIso(nowMs),
    secret_configured: parts.hasSecret,
    units: views.sort((one, other) => (one.slug < other.slug ? -1 : 1)),
    hooks: parts.listStored(),
  };
}

type Named = { readonly unit: string; readonly slug: string };

/** A unit is known by its name with and without its ending. */
function pathsOf({ unit, slug }: Named): readonly string[] {
  return [slug, unit].flatMap((name) => [
    `${HOOK_PREFIX}/${name}`,
    `${HOOK_PREFIX}/${name}/redeploy`,
  ]);
}

function viewHook(
  { baseUrl, imageOf }: Parts,
  { unit, slug }: Named,
  rows: readonly HookRow[],
  acceptedAt: number | undefined,
): HooksView['units'][number] {
  const last = newest(rows);
  const good = newest(rows.filter(({ code }) => code === null));
  const bad = newest(rows.filter(({ code }) => code !== null));
  const badSignature = newest(rows.filter(({ code }) => code === 'SIGNATURE_INVALID'));
  const isHmacOk = good || badSignature ? (good?.id ?? 0) > (badSignature?.id ?? 0) : null;
  const path = `${HOOK_PREFIX}/${slug}`;
  const urlOf = (end: string) => (baseUrl === undefined ? null : `${baseUrl}${path}${end}`);
  return {
    unit,
    slug,
    webhook_path: path,
    redeploy_path: `${path}/redeploy`,
    webhook_url: urlOf(''),
    redeploy_url: urlOf('/redeploy'),
    expected_image: imageOf(unit),
    last_ts: last ? toIso(last.ts) : null,
    last_status: last?.status ?? null,
    last_request_id: last?.request_id ?? null,
    last_success_ts: good ? toIso(good.ts) : null,
    last_accepted_ts: acceptedAt === undefined ? null : toIso(acceptedAt),
    last_failure_ts: bad ? toIso(bad.ts) : null,
    hmac_ok: isHmacOk,
    hmac_last_error: isHmacOk === false ? 'SIGNATURE_INVALID' : null,
  };
}

function newest(rows: readonly HookRow[]): HookRow | undefined {
  return rows.reduce<HookRow | undefined>(
    (best, row) => (best && best.id > row.id ? best : row),
    undefined,
  );
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
