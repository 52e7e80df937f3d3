import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { openStore, type Store } from '../../app/db/store.ts';
import {
  type DeployEvidence,
  type DeployParts,
  type DeployRequest,
  deployUnit,
} from '../../app/deploy/deploy-unit.ts';
import { diagnoseUnit } from '../../app/deploy/diagnose-unit.ts';
import type { LockPull } from '../../app/deploy/pull-image.ts';
import { restartUnit } from '../../app/deploy/restart-unit.ts';
import { policyDefaults, type UnitPolicy } from '../../app/domain/unit-policy.ts';
import type { Host } from '../../app/host/host.ts';
import { openLocalHost } from '../../app/host/open-host.ts';
import { readUnitPolicy } from '../../app/host/read-unit-policy.ts';
import { newIdentifier } from '../../app/intake/new-identifier.ts';
import { createLookUp } from '../../app/tasks/create-look-up.ts';
import { openMemory } from '../../app/tasks/deploy-memory.ts';
import { refreshTimerGuards } from '../../app/tasks/timer-guards.ts';
import { createUnitLocks } from '../../app/tasks/unit-locks.ts';
import type { CommandResult, RunCommand } from '../../shared/process/run-command.ts';
import { attemptOf } from '../helpers/attempt-of.ts';
import { DEPLOY_SETTINGS } from '../helpers/deploy-settings.ts';

/** Generous: a slow machine must not look like a fault. */
export const LIMITS = { pullTimeoutMs: 60_000, restartTimeoutMs: 60_000 };

const NEVER = new AbortController().signal;

/** As root the units are the system's. */
const localHost = openLocalHost(getuid?.() === 0 ? 'system' : 'user', process.env);
export const onHost = localHost.run;

/** Runs commands as they are and keeps what they came to. */
export function recordRuns(
  change: (argv: readonly string[]) => NodeJS.ProcessEnv | undefined = () => undefined,
) {
  const results: CommandResult[] = [];
  const run: RunCommand = async (command) => {
    const environment = change(command.argv);
    const result = await onHost({ ...command, ...(environment && { environment }) });
    results.push(result);
    return result;
  };
  const count = (...words: string[]) =>
    results.filter(({ argv }) => words.every((word) => argv.includes(word))).length;
  return { run, results, count };
}

/** The database of all deployments of a test file. */
let shared: Store | undefined;
export function openSharedStore(): Store {
  if (!shared) {
    const path = join(mkdtempSync(join(tmpdir(), 'podup-host-')), 'data.db');
    const opened = openStore(path, { version: 'test', nowMs: Date.now() });
    assert.ok(opened.ok, JSON.stringify(opened));
    shared = opened.value;
  }
  return shared;
}

/** A task of its own. */
function addTask(unit: string): string {
  const id = newIdentifier('tsk');
  openSharedStore().tasks.insert({
    id,
    kind: 'github-webhook',
    unit,
    image: null,
    created_at: Date.now(),
    summary: 'A test.',
    trigger_source: 'test',
    trigger_request_id: null,
    trigger_path: null,
    trigger_caller: null,
    webhook_digest: null,
  });
  openSharedStore().tasks.markDispatched(id, 'child', Date.now());
  return id;
}

type DeployOptions = {
  readonly host?: Host;
  readonly run?: RunCommand;
  readonly limits?: typeof LIMITS;
  /** The limit of the look-up, in milliseconds. */
  readonly lookUpMs?: number;
  readonly attempt?: number;
  readonly isStopping?: () => boolean;
  readonly hostWaits?: number;
  readonly stop?: AbortSignal;
  /** Goes on with what an earlier attempt has left. */
  readonly task?: string;
  readonly policy?: Partial<UnitPolicy>;
  readonly lockPull?: LockPull;
  readonly onNote?: DeployParts['onNote'];
  /** It is only restarted. */
  readonly isRestart?: boolean;
} & Omit<DeployRequest, 'unit' | 'attempt'>;

/** One whole deployment by the real parts, with all that it reported. */
export async function deploy(unit: string, options: DeployOptions = {}) {
  const { host = localHost, limits = LIMITS, attempt = 1, policy, task, ...others } = options;
  const { isStopping = () => false, stop = new AbortController().signal, ...more } = others;
  const { lookUpMs = 10_000, run = host.run, hostWaits = 0, lockPull, ...rest } = more;
  const { onNote = () => undefined, isRestart = false, ...request } = rest;
  const store = openSharedStore();
  const id = task ?? addTask(unit);
  const phases: string[] = [];
  const phaseMs = new Map<string, number>();
  const verdicts: Parameters<DeployParts['onVerdict']>[0][] = [];
  let evidence: DeployEvidence = {};
  const defaults = { ...policyDefaults(DEPLOY_SETTINGS), ...policy };
  const memory = openMemory(store, attemptOf(store.tasks, id));
  const act = isRestart ? restartUnit : deployUnit;
  const end = await act(
    {
      run,
      limits,
      ask: host.ask,
      isSystem: host.isSystem,
      readInfo: host.readInfo,
      readText: host.readText,
      lookUp: createLookUp(host, lookUpMs, new AbortController().signal),
      readPolicy: (name, files) => readUnitPolicy({ ...host, run }, name, defaults, files),
      defaultPolicy: defaults,
      memory,
      keepTimerOff: async (isLifted) => {
        const kept = await refreshTimerGuards(
          store,
          run,
          (row) => isLifted === 'lifted' && row.unit === unit,
        );
        assert.ok(kept.ok, JSON.stringify(kept));
      },
      diagnose: async () => void (await diagnoseUnit(run, unit, 20)),
      onPhase: (phase) => {
        phases.push(phase);
        if (!phaseMs.has(phase)) phaseMs.set(phase, performance.now());
      },
      onEvidence: (more) => {
        evidence = { ...evidence, ...more };
      },
      onVerdict: (verdict) => verdicts.push(verdict),
      onNote,
      ...(lockPull && { lockPull }),
      isStopping,
      stop,
      lockUnits: createUnitLocks(join(tmpdir(), 'podup-test-units'), 60_000, NEVER),
      hostWaits,
    },
    { unit, attempt, ...request },
  );
  if (!isStopping()) {
    memory.writeEnd();
    const { status, summary } = end;
    if (status !== 'deferred') {
      store.tasks.finish(attemptOf(store.tasks, id), { status, summary, at: Date.now() });
    }
  }
  return { end, phases, phaseMs, evidence, verdicts, task: id };
}

/** The code with which a deployment failed. */
export function codeOf({ end }: Pick<Awaited<ReturnType<typeof deploy>>, 'end'>): string {
  assert.equal(end.status, 'failed', JSON.stringify(end));
  return end.status === 'failed' ? end.failure.code : '';
}
