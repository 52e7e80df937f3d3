import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../shared/config/settings.ts';
import { ERRORS } from '../../shared/contract/error-codes.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import type { AttentionItemView, AttentionView } from '../api/attention-views.ts';
import type { AttentionMark } from '../db/attention.ts';
import type { Store } from '../db/store.ts';
import { isSeen, listAttention, titleOf } from '../domain/attention.ts';
import type { AttentionFacts, AttentionItem } from '../domain/attention-facts.ts';
import { longestDeploymentMs } from '../domain/deployment.ts';
import type { HealthState } from '../domain/health.ts';

/** What is read. */
export type AttentionParts = {
  readonly store: Pick<
    Store,
    | 'attention'
    | 'quarantine'
    | 'registryAnswers'
    | 'missedDeliveries'
    | 'githubDeliveries'
    | 'tasks'
  >;
  readonly settings: Pick<Settings, 'pullTimeoutMs' | 'restartTimeoutMs'>;
  readonly paths: Pick<StatePaths, 'intakeDir'>;
  readonly health: () => Promise<readonly HealthState[]>;
  readonly jobs: () => AttentionFacts['jobs'];
  readonly hold: () => Promise<AttentionFacts['hold']>;
  /** What is counted in memory. */
  readonly limits: () => Pick<AttentionFacts, 'credentials' | 'connections'>;
  readonly lockedHooks: () => AttentionFacts['lockedHooks'];
};

/** Of each source at most so much is told: nobody reads more. */
const MAX_EACH = 200;
/** A task whose time has come longer ago than this is not just about to begin. */
const DUE_MS = 3_600_000;
/** What a registry said longer ago says nothing of today. */
const RECENT_MS = 2 * 24 * 3_600_000;

/** What was recovered longer ago is history. */
const MISSED_MS = 24 * 3_600_000;

/** Everything that wants a person now, by one question to each source. While the database is ill, that it is. */
export async function readAttention(parts: AttentionParts, nowMs: number): Promise<AttentionView> {
  const health = await parts.health();
  const isIll = health.some(({ component, failure }) => component === 'database' && failure);
  const hold = await parts.hold();
  const stored = isIll ? { ...NOTHING, marks: NO_MARKS } : readStored(parts, nowMs);
  const facts = {
    ...stored,
    ...parts.limits(),
    health,
    hold,
    damaged: listDamaged(parts.paths.intakeDir),
  };
  const items = listAttention(facts).map((item) => toView(item, stored.marks.get(item.id)));
  const count = (matches: (item: AttentionItemView) => boolean) => items.filter(matches).length;
  return {
    items,
    counts: {
      error: count(({ severity }) => severity === 'error'),
      warning: count(({ severity }) => severity === 'warning'),
      unseen: count(({ seen }) => seen === null),
    },
    complete: !isIll && Object.values(facts).every((part) => sizeOf(part) < MAX_EACH),
  };
}

const NO_MARKS: ReadonlyMap<string, AttentionMark> = new Map();
const NOTHING: Omit<AttentionFacts, 'health' | 'hold' | 'damaged' | 'credentials' | 'connections'> =
  {
    ...{ failed: [], stuck: [], limited: [], quarantined: [], jobs: [], imageLimited: [] },
    ...{ refusals: [], limits: [], lockedHooks: [], faults: [], missed: null },
  };

function readStored({ store, settings, jobs, lockedHooks }: AttentionParts, nowMs: number) {
  const { attention, quarantine, registryAnswers } = store;
  const begunBefore = nowMs - longestDeploymentMs(settings);
  return {
    failed: attention.listFailed(MAX_EACH),
    stuck: attention.listStuck({ begunBefore, dueBefore: nowMs - DUE_MS }, MAX_EACH),
    limited: attention.listRateLimited(MAX_EACH),
    imageLimited: store.tasks.listWaiting('image-limit', MAX_EACH),
    quarantined: quarantine.list(nowMs).slice(0, MAX_EACH),
    jobs: jobs(),
    lockedHooks: lockedHooks().slice(0, MAX_EACH),
    refusals: attention.listRefusals(nowMs - RECENT_MS, MAX_EACH),
    limits: registryAnswers
      .listLimits()
      .filter(({ pausedUntil }) => pausedUntil > nowMs)
      .map(({ host, pausedUntil, updatedAt }) => ({
        host,
        detail: `It is left alone until ${new Date(pausedUntil).toISOString()}.`,
        at: updatedAt,
      }))
      .slice(0, MAX_EACH),
    faults: attention.listFaults(MAX_EACH),
    missed: readMissed(store, nowMs - MISSED_MS),
    marks: attention.marks(),
  };
}

function readMissed(
  { missedDeliveries, githubDeliveries }: AttentionParts['store'],
  since: number,
): AttentionFacts['missed'] {
  const { count, units, last_at: foundAt } = missedDeliveries.countSince(since);
  const { count: recovered, last_at: cameAt } = githubDeliveries.countArrived(since);
  if (foundAt === null && cameAt === null) return null;
  return { count, units, recovered, at: Math.max(foundAt ?? 0, cameAt ?? 0) };
}

function sizeOf(part: unknown): number {
  return Array.isArray(part) ? part.length : 0;
}

function listDamaged(folder: string): AttentionFacts['damaged'] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.damaged'));
    return names.slice(0, MAX_EACH).map((name) => ({
      name,
      at: Math.round(statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0),
    }));
  } catch {
    // That the folder cannot be read is told by what needs it.
    return [];
  }
}

function toView(item: AttentionItem, mark: AttentionMark | undefined): AttentionItemView {
  const { code, action, since } = item;
  const meaning = code === null ? undefined : ERRORS[code];
  const seen = mark && isSeen(item, mark) ? mark : undefined;
  return {
    ...item,
    message: meaning?.sentence ?? titleOf(item),
    since: new Date(since).toISOString(),
    action: { ...action, hint: action.hint || (meaning?.hint ?? '') },
    seen: seen ? { at: new Date(seen.seen_at).toISOString(), by: seen.seen_by } : null,
  };
}
