import { setTimeout as wait } from 'node:timers/promises';
import {
  type Failure,
  fail,
  formatFailure,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess } from '../../shared/process/run-command.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import type { LockUnits } from '../deploy/deploy-unit.ts';
import { findRunning } from '../deploy/find-running.ts';
import { type Protected, type ProtectParts, protectUnit } from '../deploy/protect-unit.ts';
import type { OpenDeployment } from '../domain/deployment.ts';
import { parseImageReference, withDigest } from '../domain/image-reference.ts';
import {
  type AutoUpdateMode,
  type AutoUpdateRow,
  describeResults,
  groupByUnit,
  judgeUnit,
  type UnitResult,
} from '../domain/podman-auto-update.ts';
import type { TaskPhase } from '../domain/task.ts';
import { type AutoUpdateReport, runAutoUpdate } from '../host/podman-auto-update.ts';
import { inspectImage } from '../host/podman-images.ts';
import { isUnitAlive, startUnits } from '../host/systemctl.ts';
import {
  letGoOfUnits,
  makeUnitTasks,
  recordUnit,
  settleUnit,
  type WatchedUnit,
} from './podman-auto-update-units.ts';

/** The unit that runs podman's own update; another one is a wrapper of the user's, and is started as it is. */
export const AUTO_UPDATE_UNIT = 'podman-auto-update.service';

/** What a run of podman's auto-update works with. */
export type AutoUpdateParts = ProtectParts & {
  readonly store: Store;
  /** The units that this program may touch: after others it does not look. */
  readonly isKnown: (unit: string) => boolean;
  /** What stands for the run; see `AUTO_UPDATE_UNIT`. */
  readonly autoUpdateUnit: string;
  readonly timeoutMs: number;
  readonly lockUnits: LockUnits;
  /** Has what is in quarantine kept off podman. */
  readonly keepTimerOff: () => Promise<Outcome<void>>;
  readonly note: (
    level: 'info' | 'warning',
    action: string,
    summary: string,
    meta?: object,
  ) => void;
  readonly onPhase: (phase: TaskPhase) => void;
  readonly stop: AbortSignal;
};

/** How it ended. */
export type AutoUpdateEnd =
  | { readonly status: 'succeeded' | 'cancelled'; readonly summary: string }
  | { readonly status: 'failed'; readonly summary: string; readonly failure: Failure };

/** Between two looks at a run that somebody else has begun. */
const LOOK_EVERY_MS = 1_000;
const MAX_NOTED = 500;

/**
 * Carries out a task of podman's auto-update. A dry run only looks, and podman too. A run holds what each known unit that
 * podman has something new for can go back to, and has a task of its own for each: that proves the unit when podman is done,
 * by the same gate as a deployment, and brings it back where it does not serve. One that is stopped before podman begins is
 * cancelled; podman itself is not cut off.
 */
export async function runPodmanAutoUpdate(
  parts: AutoUpdateParts,
  task: TaskRow,
  mode: AutoUpdateMode,
): Promise<AutoUpdateEnd> {
  const left = letGoOfUnits(parts.store, task);
  if (left > 0) parts.note('warning', 'auto-update-resumed', `${left} units are proven now.`);
  const kept = await parts.keepTimerOff();
  if (!kept.ok) return failed(kept.failure);
  parts.onPhase('resolving-digest');
  const looked = await podman(parts, true);
  if (!looked.ok) return failed(looked.failure);
  noteRows(parts, looked.value);
  if (parts.stop.aborted) return cancelled();
  if (mode === 'dry-run') return toEnd(judge(looked.value.rows), looked.value.trouble);
  const free = await untilFree(parts);
  if (!free.ok) return failed(free.failure);
  if (parts.stop.aborted) return cancelled();
  return update(parts, task, looked.value);
}

async function update(
  parts: AutoUpdateParts,
  task: TaskRow,
  looked: AutoUpdateReport,
): Promise<AutoUpdateEnd> {
  const pending = [...judge(looked.rows)]
    .filter(([, result]) => result === 'pending')
    .map(([unit]) => unit);
  if (pending.length === 0) return toEnd(judge(looked.rows), looked.trouble);
  const safe = await protectAll(parts, pending);
  if (!safe.ok) return failed(safe.failure);
  const names = safe.value.flatMap(({ deployment: { unit, image, restart_unit, dependents } }) => [
    ...[unit, image, restart_unit ?? unit],
    ...dependents,
  ]);
  const lock = await parts.lockUnits(names, parts.stop);
  try {
    if (parts.stop.aborted) return cancelled();
    const deployments = safe.value.map(({ deployment }) => deployment);
    const latest = Date.now() + 2 * parts.timeoutMs;
    const tasks = makeUnitTasks(parts.store, task, deployments, latest);
    parts.onPhase('restarting');
    const ran = await runForReal(parts, safe.value);
    // Not said by podman: what each unit runs by now is looked at by its task.
    const report = ran.ok ? ran.value : { ...looked, rows: [] };
    if (ran.ok) noteRows(parts, report);
    await settleAll(parts, task, { tasks, report, safe: safe.value, isTold: ran.ok });
    if (!ran.ok) return failed(ran.failure);
    return toEnd(judge(report.rows), report.trouble);
  } finally {
    lock.release();
  }
}

/** What podman is to update of the known units; one that cannot be looked after is noted, and podman goes its way. */
async function protectAll(
  parts: AutoUpdateParts,
  pending: readonly string[],
): Promise<Outcome<readonly Protected[]>> {
  const safe: Protected[] = [];
  for (const unit of pending.filter(parts.isKnown)) {
    if (parts.stop.aborted) return succeed([]);
    const made = await protectUnit(parts, unit);
    if (made.ok && made.value.refusal !== null) {
      // It was to be kept off, and is not: nothing is worth trying it again.
      return fail('IMAGE_QUARANTINED', made.value.refusal);
    }
    if (made.ok) safe.push(made.value);
    else if (made.failure.code === 'HOLD_FAILED') return made;
    else parts.note('warning', 'auto-update-unproven', `${unit}: ${formatFailure(made.failure)}`);
  }
  return succeed(safe);
}

async function runForReal(
  parts: AutoUpdateParts,
  safe: readonly Protected[],
): Promise<Outcome<AutoUpdateReport>> {
  if (parts.autoUpdateUnit === AUTO_UPDATE_UNIT) return podman(parts, false);
  const started = await startUnits(parts.run, [parts.autoUpdateUnit], parts.timeoutMs);
  if (!isSuccess(started)) return fail('AUTO_UPDATE_FAILED', formatEnd(started));
  const rows: AutoUpdateRow[] = [];
  for (const { deployment } of safe) {
    const { unit, image: name, wanted_digest: digest } = deployment;
    const image = parseImageReference(name);
    const running = image && (await findRunning(parts.run, unit, image, { digest, imageId: null }));
    const isThere = running?.ok === true && running.value.isWanted;
    const updated = isThere ? 'true' : running?.ok ? 'false' : 'failed';
    rows.push({ unit, image: name, containerId: '', container: '', policy: '', updated });
  }
  return succeed({ rows, reasons: new Map(), trouble: null });
}

type Settled = {
  readonly tasks: ReadonlyMap<string, string>;
  readonly report: AutoUpdateReport;
  readonly safe: readonly Protected[];
  /** podman has told what it did. */
  readonly isTold: boolean;
};

async function settleAll(
  parts: AutoUpdateParts,
  task: TaskRow,
  { tasks, report, safe, isTold }: Settled,
): Promise<void> {
  const { store } = parts;
  const groups = groupByUnit(report.rows);
  for (const { deployment } of safe) {
    const { unit, image } = deployment;
    const taskId = tasks.get(unit);
    if (taskId === undefined) continue;
    if (isTold) {
      const outcome = toOutcome(unit, image, groups.get(unit) ?? [], report);
      settleUnit(store, await describeWatched(parts, taskId, deployment), outcome);
    } else {
      // Its task looks itself how far podman came.
      store.tasks.hasten(taskId, Date.now());
    }
  }
  for (const [unit, rows] of groups) {
    const outcome = toOutcome(unit, rows[0]?.image ?? '', rows, report);
    if (!tasks.has(unit) && outcome.result !== 'unchanged') recordUnit(store, task, outcome);
  }
}

/** What podman has pulled is known by its local id now. */
async function describeWatched(
  { run, readPolicy }: AutoUpdateParts,
  taskId: string,
  deployment: OpenDeployment,
): Promise<WatchedUnit> {
  const image = parseImageReference(deployment.image);
  const name = image && withDigest(image, deployment.wanted_digest);
  const local = name === undefined ? undefined : await inspectImage(run, name);
  const wanted_image_id = local?.ok ? (local.value?.id ?? null) : null;
  const policy = await readPolicy(deployment.unit);
  const quarantineMs = policy.ok ? policy.value.quarantineMs : null;
  return { taskId, deployment: { ...deployment, wanted_image_id }, quarantineMs };
}

function toOutcome(
  unit: string,
  image: string,
  rows: readonly AutoUpdateRow[],
  { reasons }: AutoUpdateReport,
) {
  const said = rows.flatMap(({ containerId }) => reasons.get(containerId) ?? []);
  return { unit, image, result: judgeUnit(rows), reason: said.join(' ') };
}

function podman(parts: AutoUpdateParts, isDryRun: boolean): Promise<Outcome<AutoUpdateReport>> {
  const { run, isSystem, timeoutMs } = parts;
  return runAutoUpdate(run, { isDryRun, isSystem, timeoutMs });
}

/** podman's timer may have begun: two at once would restart each other's units. */
async function untilFree(parts: AutoUpdateParts): Promise<Outcome<void>> {
  const deadlineMs = performance.now() + parts.timeoutMs;
  for (let looks = 0; ; looks++) {
    const alive = await isUnitAlive(parts.run, parts.autoUpdateUnit);
    if (!alive.ok) return alive;
    if (!alive.value || parts.stop.aborted) return succeed(undefined);
    if (looks === 0) {
      const what = `${parts.autoUpdateUnit} runs already; it is waited for.`;
      parts.note('info', 'auto-update-waits', what);
    }
    if (performance.now() > deadlineMs) {
      return fail('AUTO_UPDATE_FAILED', `${parts.autoUpdateUnit} does not end.`);
    }
    await wait(LOOK_EVERY_MS, undefined, { signal: parts.stop }).catch(() => undefined);
  }
}

function judge(rows: readonly AutoUpdateRow[]): ReadonlyMap<string, UnitResult> {
  return new Map([...groupByUnit(rows)].map(([unit, all]) => [unit, judgeUnit(all)]));
}

/** Each container is an entry of the log. */
function noteRows({ note }: AutoUpdateParts, { rows, reasons, trouble }: AutoUpdateReport): void {
  for (const row of rows.slice(0, MAX_NOTED)) {
    const reason = reasons.get(row.containerId) ?? null;
    const level = ['failed', 'rolled back'].includes(row.updated) ? 'warning' : 'info';
    const summary = `${row.unit} (${row.container}), ${row.image}: ${row.updated}`;
    note(level, 'auto-update-result', summary, { ...row, reason });
  }
  if (trouble !== null) note('warning', 'auto-update-result', trouble);
}

function toEnd(results: ReadonlyMap<string, UnitResult>, trouble: string | null): AutoUpdateEnd {
  const summary = describeResults(results);
  const isBad = [...results.values()].some((one) => one === 'failed' || one === 'rolled-back');
  if (!isBad && trouble === null) return { status: 'succeeded', summary };
  const { failure } = fail('AUTO_UPDATE_FAILED', trouble ?? summary);
  return { status: 'failed', summary, failure };
}

function failed(failure: Failure): AutoUpdateEnd {
  return { status: 'failed', summary: `podman's auto-update: ${failure.code}.`, failure };
}

function cancelled(): AutoUpdateEnd {
  return { status: 'cancelled', summary: 'It was stopped before podman began.' };
}
