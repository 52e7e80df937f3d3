import type { Logger } from 'pino';
import type { Settings } from '../../shared/config/settings.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow, TaskRun } from '../db/tasks.ts';
import { failed } from '../deploy/deploy-end.ts';
import { type DeployParts, deployUnit } from '../deploy/deploy-unit.ts';
import { diagnoseUnit } from '../deploy/diagnose-unit.ts';
import { restartUnit } from '../deploy/restart-unit.ts';
import { anyOf } from '../deploy/until-stopped.ts';
import type { TaskInput } from '../domain/task-input.ts';
import { type PolicySettings, policyDefaults } from '../domain/unit-policy.ts';
import type { Host } from '../host/host.ts';
import { readUnitPolicy, type UnitFiles } from '../host/read-unit-policy.ts';
import { checkPlan } from './check-plan.ts';
import { openMemory, type TaskMemory } from './deploy-memory.ts';
import { keepToHooks } from './keep-to-hooks.ts';
import type { KeepingSettings, MaintenanceParts, UpdateWork } from './maintenance-parts.ts';
import { endOfHook, provePush } from './prove-push.ts';
import { recordCommand } from './record-command.ts';
import { runMaintenanceTask } from './run-maintenance-task.ts';
import { runPodmanAutoUpdate } from './run-podman-auto-update.ts';
import { refreshTimerGuards } from './timer-guards.ts';

/** What a task works with; `signal` says that its process is to end. */
export type RunTaskParts = {
  readonly store: Store;
  readonly log: Logger;
  readonly host: Host;
  readonly settings: PolicySettings &
    KeepingSettings &
    Pick<
      Settings,
      | 'pullTimeoutMs'
      | 'restartTimeoutMs'
      | 'journalLines'
      | 'autoUpdateUnit'
      | 'autoUpdateTimeoutMs'
    >;
  readonly paths: MaintenanceParts['paths'];
  /** Looks for updates over that host. */
  readonly updates: (host: Host) => UpdateWork;
  readonly lookUp: DeployParts['lookUp'];
  readonly lockPull?: DeployParts['lockPull'];
  readonly lockUnits: DeployParts['lockUnits'];
  readonly signal: AbortSignal;
  /** Hides the secrets that the task has come to know. */
  readonly mask: (text: string) => string;
  /** Has `look` called whenever somebody says that the row of the task has changed. */
  readonly onWake: (look: () => void) => void;
};

/**
 * Carries out one dispatched task to its final state. A task that is not there to be taken (unknown, taken by another
 * process, ended) is left alone. When told to end it gives the task back, to be begun again by the next worker.
 * @returns whether the task was taken.
 */
export async function runTask(parts: RunTaskParts, attempt: TaskRun): Promise<boolean> {
  const { store, log, signal } = parts;
  const { id } = attempt;
  if (!store.tasks.claim(attempt, Date.now())) {
    log.warn({ task: id }, 'the task is not there to be taken');
    return false;
  }
  const task = store.tasks.find(id);
  if (!task) return false;
  log.info({ task: id, unit: task.unit, image: task.image }, 'task started');
  const note = (level: 'info' | 'warning' | 'error', action: string, summary: string) =>
    store.taskLogs.append({ task_id: id, ts: Date.now(), level, action, summary, meta: null });

  const stopped = new AbortController();
  const lookForStop = () => {
    const by = store.tasks.find(id)?.stop_requested_by;
    if (by && !stopped.signal.aborted) {
      note('warning', 'stop-requested', `Stopped by ${by}.`);
      stopped.abort();
    }
  };
  parts.onWake(lookForStop);
  lookForStop();
  const memory = openMemory(store, task);
  const { signal: stop } = stopped;
  const maintenance = runMaintenanceTask(parts, task, stop);
  const work = maintenance ?? act(parts, task, memory, { note, stop });
  const end = await work.catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  // What maintenance has done to its end needs not be done again.
  const isDone = maintenance !== undefined && end?.status !== 'cancelled';
  if (!end || (signal.aborted && !isDone)) {
    note(
      'warning',
      'task-released',
      'The process of the task was told to end; it will begin again.',
    );
    store.tasks.release(attempt, Date.now());
    return true;
  }
  if (end.status === 'deferred') {
    store.transact(() => {
      note('info', 'task-deferred', end.summary);
      store.tasks.defer(attempt, end.notBeforeMs, Date.now(), end.why);
    });
    log.info({ task: id, notBefore: end.notBeforeMs }, end.summary);
    return true;
  }
  const failure = end.status === 'failed' ? end.failure : undefined;
  store.transact(() => {
    memory.writeEnd();
    note(failure ? 'error' : 'info', 'task-ended', failure ? formatFailure(failure) : end.summary);
    store.tasks.finish(attempt, {
      status: end.status,
      summary: end.summary,
      at: Date.now(),
      ...(failure && { errorCode: failure.code, errorDetail: failure.detail }),
    });
  });
  log.info({ task: id, status: end.status, code: failure?.code }, end.summary);
  return true;
}

/** Runs commands on the host of the units, each of them an entry of the log. */
function recordRun(
  { store, host, signal, mask }: RunTaskParts,
  { id, attempts: attempt }: TaskRow,
): RunCommand {
  return recordCommand(
    (command) => host.run({ ...command, signal: anyOf(signal, command.signal) }),
    { append: (entry) => store.taskLogs.append({ task_id: id, ...entry }), attempt, mask },
  );
}

/** What concerns units: podman's own update of all, or one of them. */
async function act(
  parts: RunTaskParts,
  task: TaskRow,
  memory: TaskMemory,
  { note, stop }: { readonly note: Note; readonly stop: AbortSignal },
) {
  const { podmanAutoUpdate } = JSON.parse(task.input ?? '{}') as Partial<TaskInput>;
  if (!podmanAutoUpdate) return deploy(parts, task, memory, { note, stop });
  const { store, settings } = parts;
  const { known } = parts.updates(parts.host);
  const run = recordRun(parts, task);
  const { readPolicy, ...looks } = lookParts(parts, run, memory);
  return runPodmanAutoUpdate(
    {
      ...looks,
      ...{ readPolicy, store, stop, lockUnits: parts.lockUnits },
      isKnown: (unit) => known.admit('person', unit).allowed,
      autoUpdateUnit: settings.autoUpdateUnit,
      timeoutMs: settings.autoUpdateTimeoutMs,
      keepTimerOff: () => refreshTimerGuards(store, run),
      note: (level, action, summary, meta) => {
        const entry = { level, action, summary, meta: meta ? JSON.stringify(meta) : null };
        store.taskLogs.append({ task_id: task.id, ts: Date.now(), ...entry });
      },
      onPhase: (phase) => store.tasks.setPhase(task, phase, Date.now()),
    },
    task,
    podmanAutoUpdate,
  );
}

/** What a look at a unit works with. */
function lookParts(parts: RunTaskParts, run: RunCommand, memory: TaskMemory) {
  const { host, settings } = parts;
  const defaultPolicy = policyDefaults(settings);
  return {
    ...{ run, memory, isSystem: host.isSystem, readInfo: host.readInfo, lookUp: parts.lookUp },
    readText: host.readText,
    readPolicy: (unit: string, files?: UnitFiles) =>
      readUnitPolicy({ ...host, run }, unit, defaultPolicy, files),
  };
}

type Evidence = Parameters<DeployParts['onEvidence']>[0];
type Note = (level: 'info' | 'warning' | 'error', action: string, summary: string) => void;

async function deploy(
  parts: RunTaskParts,
  task: TaskRow,
  memory: TaskMemory,
  { note, stop }: { readonly note: Note; readonly stop: AbortSignal },
) {
  const { store, settings, signal, host } = parts;
  const run = recordRun(parts, task);
  const defaultPolicy = policyDefaults(settings);
  const diagnose = async () => {
    const evidence = await diagnoseUnit(run, task.unit, settings.journalLines);
    store.tasks.setEvidence(task, evidence, Date.now());
  };
  const planParts = lookParts(parts, run, memory);
  const changed = memory.find() ? null : await checkPlan(planParts, task);
  if (changed) return failed(task.unit, changed, true);
  const { restart: isRestart } = JSON.parse(task.input ?? '{}') as Partial<TaskInput>;
  const bring = isRestart ? restartUnit : deployUnit;
  const lookUp = keepToHooks(store, task, provePush(store, task, parts.lookUp));
  const brought = await bring(
    {
      run,
      ask: host.ask,
      readInfo: host.readInfo,
      readText: host.readText,
      isSystem: host.isSystem,
      diagnose,
      lookUp: async (image, registries, cut) => {
        const found = await lookUp(image, registries, cut);
        if (found.ok) note('info', 'digest-resolved', `The registry says ${found.value.digest}.`);
        return found;
      },
      ...(parts.lockPull && { lockPull: parts.lockPull }),
      lockUnits: parts.lockUnits,
      readPolicy: planParts.readPolicy,
      defaultPolicy,
      memory,
      keepTimerOff: createKeepTimerOff(store, run, task, note),
      onPhase: (phase) => store.tasks.setPhase(task, phase, Date.now()),
      onEvidence: (evidence) => noteEvidence(store, task, evidence),
      onVerdict: (verdict) => {
        store.taskLogs.append(toLogEntry(task.id, verdict));
        const { of, part, failure, ms } = verdict;
        // Of an attempt that goes on nobody knows how long the unit was down.
        const isWhole = task.attempts - task.deferrals === 1;
        if (isWhole && of === 'new' && part === 'start' && !failure) {
          store.deployments.noteDown(task.id, ms);
        }
      },
      onNote: note,
      isStopping: () => signal.aborted,
      stop,
      hostWaits: task.host_waits,
      limits: settings,
    },
    {
      unit: task.unit,
      attempt: task.attempts - task.deferrals,
      rateLimitWaits: task.rate_limit_waits,
      isManual: task.kind === 'manual',
      ...(task.wanted !== null && { version: task.wanted }),
      ...(task.image !== null && { image: task.image }),
      ...(task.pulled_digest !== null && { pulledBefore: task.pulled_digest }),
    },
  );
  const end = endOfHook(task, brought);
  if (end.status === 'failed' && !end.isDiagnosed && !signal.aborted) {
    store.tasks.setPhase(task, 'diagnosing', Date.now());
    await diagnose();
  }
  return end;
}

/** What runs now is true for a check for updates, too. */
function noteEvidence(store: Store, task: TaskRow, evidence: Evidence): void {
  const now = Date.now();
  store.tasks.setEvidence(task, evidence, now);
  const { running_digest: digest } = evidence;
  if (digest) store.updateChecks.noteRunning(task.unit, digest, now);
}

function createKeepTimerOff(
  store: Store,
  run: RunCommand,
  { unit, wanted }: TaskRow,
  note: Note,
): DeployParts['keepTimerOff'] {
  return async (isLifted) => {
    // What a person chose says nothing of what the tag means, which is what the timer would take.
    const isOther = isLifted === 'lifted' && wanted === null;
    const kept = await refreshTimerGuards(store, run, (row) => isOther && row.unit === unit);
    if (!kept.ok) note('warning', 'timer-not-kept-off', formatFailure(kept.failure));
  };
}

/** Each part of the proof is an entry of the log. */
function toLogEntry(taskId: string, verdict: Parameters<DeployParts['onVerdict']>[0]) {
  const { of, part, failure, detail, ms } = verdict;
  const said = failure ? formatFailure(failure) : detail;
  return {
    task_id: taskId,
    ts: Date.now(),
    level: failure ? ('warning' as const) : ('info' as const),
    action: 'gate',
    summary: `${of} image, ${part}: ${said}`,
    meta: JSON.stringify({ of, part, passed: failure === null, code: failure?.code ?? null, ms }),
  };
}
