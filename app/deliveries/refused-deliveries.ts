import type { ErrorLog } from '../../shared/log/error-log.ts';
import { maskSecrets } from '../../shared/log/mask-secrets.ts';
import type { RefusedDelivery } from '../db/refused-deliveries.ts';
import type { Store } from '../db/store.ts';
import { addressGroup } from '../domain/address-group.ts';
import { maskKeys } from '../domain/mask-keys.ts';

/** A webhook that was refused. */
export type Refusal = {
  readonly address: string;
  /** Without anything secret. */
  readonly path: string;
  readonly code: string;
  /** Why a hook was not opened: one of a closed list; null where the code says it all. */
  readonly reason: string | null;
  /** Undefined where it was refused before its body was read. */
  readonly body: Buffer | undefined;
};

/** Keeps what was refused for those who look why: bounded, whoever sends how much. */
export type RefusedDeliveries = {
  /** Costs no write: they are written together, a while later. */
  note(refusal: Refusal): void;
  /** Writes what waits. */
  close(): void;
};

const WRITE_AFTER_MS = 10_000;
const MINUTE_MS = 60_000;
/** Of one write; what is beyond is counted under `others`. */
const MAX_GROUPS = 100;
const MAX_BODY = 4_096;
const MAX_PATH = 300;

/** Keeps them in the database, without the secrets that are known. */
export function keepRefusedDeliveries(
  store: Pick<Store, 'refusedDeliveries'>,
  secrets: readonly string[],
  log: ErrorLog,
  writeAfterMs = WRITE_AFTER_MS,
): RefusedDeliveries {
  const mask = maskSecrets(secrets);
  let groups = new Map<string, RefusedDelivery>();
  let timer: NodeJS.Timeout | undefined;

  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    const rows = [...groups.values()];
    groups = new Map();
    if (rows.length === 0) return;
    try {
      store.refusedDeliveries.insertAll(rows);
    } catch (error) {
      log.error({ err: error }, 'what was refused cannot be kept');
    }
  };

  return {
    note({ address, path, code, reason, body }) {
      const now = Date.now();
      const minute = Math.floor(now / MINUTE_MS);
      const known = addressGroup(address);
      const shown = mask(path).slice(0, MAX_PATH);
      const ownKey = JSON.stringify([minute, known, shown, code, reason]);
      const isOther = !groups.has(ownKey) && groups.size >= MAX_GROUPS;
      const key = isOther ? JSON.stringify([minute, code, reason]) : ownKey;
      const former = groups.get(key);
      groups.set(
        key,
        former
          ? { ...former, last_at: now, count: former.count + 1 }
          : {
              ...{ first_at: now, last_at: now, code, reason, count: 1 },
              ...(isOther
                ? { address: 'others', path: '', body_bytes: null, body: null }
                : { address: known, path: shown, ...describe(body, mask) }),
            },
      );
      timer ??= setTimeout(write, writeAfterMs);
    },
    close: write,
  };
}

function describe(body: Buffer | undefined, mask: (text: string) => string) {
  if (!body) return { body_bytes: null, body: null };
  // Masked before it is cut: half of a secret would not be known.
  const text = maskKeys(mask(body.subarray(0, 2 * MAX_BODY).toString('utf8')));
  return { body_bytes: body.length, body: text.slice(0, MAX_BODY) };
}
