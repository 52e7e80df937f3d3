import type { ErrorCode } from '../../../shared/contract/error-codes.ts';
import {
  NO_POLICY,
  type Quarantine,
  type UpdateHistoryEntry,
  type UpdateOutcome,
  type UpdatePolicy,
} from '../../../shared/contract/update-history.ts';
import type { UpdateRecord } from '../../../shared/contract/update-record.ts';
import type { Memory } from './machine.ts';

/** Failures for which the new program is to blame. Others (a full disk, a hand in the files) say nothing about it. */
const BLAMED: ReadonlySet<ErrorCode> = new Set([
  'UPDATE_START_FAILED',
  'UPDATE_START_TIMEOUT',
  'UPDATE_WRONG_PROGRAM',
  'UPDATE_CONFIG_REJECTED',
  'UPDATE_PROBE_FAILED',
  'UPDATE_CHECK_FAILED',
  'UPDATE_SUPERVISOR_FAILED',
]);

/** This many different bad releases in a row, and no update begins by itself any more. */
const BAD_IN_A_ROW = 2;
const MAX_QUARANTINED = 500;

/** The memory of a host that has seen no update. */
export const NO_MEMORY: Memory = { policy: NO_POLICY, quarantine: { v: 1, entries: [] } };

/** The line of the history for an update that ends now. */
export function toHistory(
  record: UpdateRecord,
  outcome: UpdateOutcome,
  finishedAt: number,
): UpdateHistoryEntry {
  const { txn, kind, from, to, request, startedAt, failure, database, steps, warnings } = record;
  const { id, trigger, by } = request;
  return {
    v: 1,
    txn,
    kind,
    outcome,
    from,
    to,
    request: { id, trigger, by },
    startedAt,
    finishedAt,
    failure,
    databaseRestored: database.restored,
    steps,
    warnings,
  };
}

/** What is remembered once the update has ended so. Doing it again for the same update changes nothing. */
export function remember(
  memory: Memory,
  record: UpdateRecord,
  outcome: UpdateOutcome,
  wallMs: number,
): Memory {
  if (outcome === 'committed')
    return { ...memory, policy: rememberGood(memory.policy, record, wallMs) };
  const isBad = outcome === 'rolled-back' || outcome === 'superseded';
  if (!isBad || !record.to || !record.failure || !isBlamed(record)) return memory;
  return {
    policy: rememberBad(memory.policy, record, record.to.digest, wallMs),
    quarantine: putAway(memory.quarantine, record, wallMs),
  };
}

/** Whether the new program is to blame for how the update ends. */
export function isBlamed({ failure }: Pick<UpdateRecord, 'failure'>): boolean {
  return failure !== null && BLAMED.has(failure.code);
}

function rememberGood(
  policy: UpdatePolicy,
  { to, kind, request }: UpdateRecord,
  wallMs: number,
): UpdatePolicy {
  const floor = policy.generationFloor;
  const generation = to?.generation ?? null;
  // Going back on purpose does not make older releases acceptable again.
  const isHigher = kind === 'release' && generation !== null && generation > (floor ?? -1);
  return {
    ...policy,
    generationFloor: isHigher ? generation : floor,
    badInARow: [],
    lastGood: to,
    // Else the next scheduled update would take the host forward again.
    hold:
      kind === 'rollback' && policy.hold === null
        ? {
            at: wallMs,
            by: request.by,
            reason: `Version ${to?.version} was gone back to on purpose.`,
            automatic: false,
          }
        : policy.hold,
  };
}

function rememberBad(
  policy: UpdatePolicy,
  record: UpdateRecord,
  digest: string,
  wallMs: number,
): UpdatePolicy {
  const badInARow = [...new Set([...policy.badInARow, digest])].slice(-100);
  const isEnough = badInARow.length >= BAD_IN_A_ROW && policy.hold === null;
  return {
    ...policy,
    badInARow,
    lastGood: record.from,
    hold: isEnough
      ? {
          at: wallMs,
          by: null,
          reason: `${badInARow.length} different releases in a row had to be rolled back.`,
          automatic: true,
        }
      : policy.hold,
  };
}

function putAway(quarantine: Quarantine, record: UpdateRecord, wallMs: number): Quarantine {
  const { to, failure, txn } = record;
  if (!to || !failure) return quarantine;
  const known = quarantine.entries.find(({ digest }) => digest === to.digest);
  if (known?.txn === txn) return quarantine;
  const entry = {
    digest: to.digest,
    version: to.version,
    failure,
    count: (known?.count ?? 0) + 1,
    firstAt: known?.firstAt ?? wallMs,
    lastAt: wallMs,
    txn,
  };
  const others = quarantine.entries.filter((other) => other !== known);
  return { v: 1, entries: [...others, entry].slice(-MAX_QUARANTINED) };
}
