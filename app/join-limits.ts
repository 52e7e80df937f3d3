import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Settings } from '../shared/config/settings.ts';
import type { Store } from './db/store.ts';
import type { AttentionFacts } from './domain/attention-facts.ts';
import {
  type CredentialKind,
  type CredentialLimits,
  limitedUntil,
} from './domain/failed-credentials.ts';
import type { SystemEvents } from './events/system-events.ts';
import type { AdminGate, CredentialGuard } from './http/admin-gate.ts';
import type { ConnectionGuard } from './http/connections/guard-connections.ts';
import { FailedCredentials, type TallyChanges } from './http/credentials/failed-credentials.ts';
import { registerImageLocksApi } from './http/routes/image-locks-api.ts';
import { registerLimitsApi } from './http/routes/limits-api.ts';
import { viewLimits } from './http/view-limits.ts';
import { releaseAutoUpdate, viewAutoUpdateLimit } from './tasks/auto-update-limit.ts';
import { releaseImageLock, viewImageLocks } from './tasks/image-locks.ts';
import { autoUpdateWindowsOf, imageLimitOf } from './tasks/limit-rate.ts';

type FailedSettings = Pick<
  Settings,
  'failedLimitCount' | 'failedTotalLimitCount' | 'failedLimitWindowSecs'
>;

/** Joins what counts credentials that fail to whoever writes that down, and to those who are told. */
export function joinFailedCredentials(
  settings: FailedSettings,
  log: Pick<Logger, 'warn'>,
  parts: {
    readonly save: (changes: TallyChanges) => void;
    readonly system?: Pick<SystemEvents, 'credentialsLimited'>;
  },
): FailedCredentials {
  return new FailedCredentials({
    limits: credentialLimitsOf(settings),
    save: parts.save,
    onLimited({ kind, address, count }, until) {
      const facts = { kind, address, count, until: new Date(until).toISOString() };
      log.warn(facts, 'so many credentials were wrong that no more are looked at');
      parts.system?.credentialsLimited(facts);
    },
  });
}

function credentialLimitsOf(settings: FailedSettings): CredentialLimits {
  return {
    perAddress: settings.failedLimitCount,
    total: settings.failedTotalLimitCount,
    windowMs: settings.failedLimitWindowSecs * 1000,
  };
}

/** The same for one kind of credentials. */
export function guardOf(failed: FailedCredentials, kind: CredentialKind): CredentialGuard {
  return {
    refuse: (address) => failed.refuse(kind, address),
    tell: (address, isGood) => failed.tell(kind, address, isGood),
  };
}

const MAX_TOLD = 200;
/** Connections that were ended within this time are told of. */
const LATELY_MS = 600_000;

/** Who is told to come later now, and whether connections were ended lately. */
export function findLimited(
  settings: FailedSettings,
  { failed, connections }: Pick<LimitParts, 'failed' | 'connections'>,
  nowMs: number,
): Pick<AttentionFacts, 'credentials' | 'connections'> {
  const limits = credentialLimitsOf(settings);
  const credentials = failed
    .list()
    .filter((tally) => limitedUntil(tally, limits, nowMs) !== undefined);
  const { cut, cutAt = null } = connections?.state() ?? {};
  const count = Object.values(cut ?? {}).reduce((sum, one) => sum + one, 0);
  const isLate = cutAt === null || nowMs - cutAt > LATELY_MS;
  return {
    credentials: credentials.slice(0, MAX_TOLD),
    connections: isLate ? null : { count, at: cutAt },
  };
}

/** What counts, and what acts on it. */
export type LimitParts = {
  readonly store: Store;
  readonly gate: AdminGate;
  /** Told when there is something to begin. */
  readonly onTask: () => void;
  readonly failed: FailedCredentials;
  /** Of the server, where there is one. */
  readonly connections?: Pick<ConnectionGuard, 'state'>;
};

/** Joins the routes that show limits, and let go what they hold, to what counts. */
export function registerLimits(
  app: FastifyInstance,
  settings: Settings,
  { store, gate, onTask, failed, connections }: LimitParts,
): void {
  registerImageLocksApi(app, {
    gate,
    view: () => viewImageLocks(store, imageLimitOf(settings), Date.now()),
    release: (name) => {
      const released = releaseImageLock(store, name, Date.now());
      if (released.ok && released.value.begun > 0) onTask();
      return released;
    },
  });
  registerLimitsApi(app, {
    gate,
    view: () =>
      viewLimits({
        autoUpdate: viewAutoUpdateLimit(store, autoUpdateWindowsOf(settings), Date.now()),
        image: imageLimitOf(settings),
        tallies: failed.list(),
        limits: credentialLimitsOf(settings),
        connections: connections?.state(),
        nowMs: Date.now(),
      }),
    releaseAddress: (address) => failed.release(address),
    releaseAutoUpdate: () => releaseAutoUpdate(store),
  });
}
