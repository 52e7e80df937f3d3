import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { CheckedUnitView } from '../../../app/api/check-views.ts';
import type { UnitSource } from '../../../app/domain/found-unit.ts';
import type { UpdateStatus } from '../../../app/domain/update-verdict.ts';
import { openLocalHost } from '../../../app/host/open-host.ts';
import { createIdleReason } from '../../../app/scheduler/idle-reason.ts';
import type { MaintenanceParts } from '../../../app/tasks/maintenance-parts.ts';
import { runMaintenance } from '../../../app/tasks/run-maintenance.ts';
import { createKnownUnits } from '../../../app/units/known-units.ts';
import type { ErrorCode } from '../../../shared/contract/error-codes.ts';
import { type Failure, fail, succeed } from '../../../shared/contract/outcome.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

type Found = {
  readonly unit: string;
  readonly status: UpdateStatus;
  readonly reason?: ErrorCode;
  readonly isAutoUpdated?: boolean;
};

const DIGEST = 'sha256:new';

function view({ unit, status, reason }: Found): CheckedUnitView {
  const error = reason ? { code: reason, sentence: 's', detail: 'd', hint: 'h' } : null;
  const none = { tag: 'main', running_digest: null, remote_latest_digest: null, checked_at: null };
  const rest = { age_ms: 0, stale: false, last_known: null, higher: null };
  const update = { ...none, ...rest, status, remote_tag_digest: DIGEST, reason: reason ?? null };
  return { unit, image: `ghcr.io/o/${unit}:main`, update: { ...update, error } };
}

/** The work of tasks over units that were found on the host, whose updates are what the test says. */
function make(
  context: TestContext,
  found: readonly Found[],
  { failure, running = '' }: { readonly failure?: Failure; readonly running?: string } = {},
) {
  const folder = makeTempFolder(context);
  const { store } = openTestStore(context, folder);
  const known = createKnownUnits({
    ...{ listed: ['listed.service'], autoDiscover: true },
    readFound: () =>
      found.map(({ unit, isAutoUpdated = true }) => ({
        ...{ unit, source: 'quadlet' as UnitSource, path: null, image: null, isAutoUpdated },
        ...{ hasPolicy: false, webhookEnabled: null, fault: null, firstSeenAt: 0, lastSeenAt: 0 },
      })),
  });
  const asked: (readonly string[] | undefined)[] = [];
  const notes: { level: string; summary: string }[] = [];
  const summary = { units: found.length, asked: 2, failed: 1, durationMs: 5 };
  const parts: MaintenanceParts = {
    ...{ taskId: 'tsk_run', isByPerson: false, store, paths: statePaths(folder) },
    host: {
      ...openLocalHost('user', {}),
      run: () =>
        Promise.resolve({
          ...{ argv: ['podman'], end: { kind: 'exited', code: failure ? 125 : 0 } },
          ...{ stdout: running, stderr: '', stdoutDropped: 0, stderrDropped: 0, durationMs: 1 },
        }),
    } as MaintenanceParts['host'],
    settings: {
      ...{ taskRetentionMs: 1, deliveryRetentionMs: 1, eventRetentionMs: 1 },
      ...{ eventMaxRows: 1, backupKeep: 1 },
    },
    updates: () => ({
      known,
      check: (units) => {
        asked.push(units);
        return Promise.resolve(failure ? { ok: false, failure } : succeed(summary));
      },
      list: (units) => found.filter(({ unit }) => units.includes(unit)).map(view),
    }),
    signal: new AbortController().signal,
    note: (level, _action, said) => void notes.push({ level, summary: said }),
  };
  const run = (maintenance: 'auto-update' | 'check-updates' | 'reconcile') =>
    runMaintenance(parts, { maintenance });
  const made = () => store.tasks.list({ kinds: ['scheduler'], limit: 100 }).map(({ unit }) => unit);
  return { store, asked, notes, run, made, known };
}

describe('auto-update', () => {
  test('makes a task of each unit that asks for it and has something newer', async (t) => {
    const { store, asked, run, made, notes } = make(t, [
      { unit: 'a.service', status: 'tag_update_available' },
      { unit: 'b.service', status: 'up_to_date' },
      { unit: 'c.service', status: 'unknown', reason: 'REGISTRY_TIMEOUT' },
      { unit: 'd.service', status: 'latest_ahead' },
      { unit: 'e.service', status: 'tag_update_available', isAutoUpdated: false },
      { unit: 'f.service', status: 'tag_update_available' },
      { unit: 'listed.service', status: 'tag_update_available', isAutoUpdated: false },
    ]);
    const { status, summary } = await run('auto-update');
    const said = 'Of 5 units 2 have something newer; 2 begun.';
    assert.deepEqual([status, summary], ['succeeded', said]);
    assert.deepEqual(asked, [['a.service', 'b.service', 'c.service', 'd.service', 'f.service']]);
    assert.deepEqual(made().sort(), ['a.service', 'f.service']);
    const [task, other] = store.tasks.list({ kinds: ['scheduler'], limit: 2 });
    const { status: state, trigger_source, trigger_request_id, image, batch_id } = task ?? {};
    assert.deepEqual(
      [state, trigger_source, trigger_request_id, image],
      ['pending', 'scheduler', 'tsk_run', `ghcr.io/o/${task?.unit}:main`],
    );
    assert.equal(batch_id, other?.batch_id);
    const warned = notes.filter(({ level }) => level === 'warning').map((note) => note.summary);
    assert.deepEqual(warned, ['c.service is not known: REGISTRY_TIMEOUT d']);
  });

  test('makes no second one while one is open, nor of what was skipped, nor of what has failed', async (t) => {
    const { store, run, made } = make(t, [
      { unit: 'open.service', status: 'tag_update_available' },
      { unit: 'skipped.service', status: 'tag_update_available' },
      { unit: 'bad.service', status: 'tag_update_available' },
    ]);
    store.tasks.insert(newTask({ id: 'tsk_open', unit: 'open.service' }));
    store.tasks.insert({ ...newTask({ id: 'tsk_s', unit: 'skipped.service' }), kind: 'scheduler' });
    store.tasks.markDispatched('tsk_s', 'child', 1);
    const attempt = attemptOf(store.tasks, 'tsk_s');
    store.tasks.setEvidence(attempt, { registry_digest: DIGEST }, 1);
    store.tasks.finish(attempt, { status: 'skipped', summary: '', at: Date.now() });
    store.quarantine.add({
      ...{ unit: 'bad.service', digest: DIGEST, image: 'i', image_id: null, at: 5 },
      ...{ expires_at: null, code: 'GATE_PROBE_FAILED', detail: '' },
    });
    const { summary } = await run('auto-update');
    assert.equal(summary, 'Of 3 units 3 have something newer; 0 begun.');
    assert.deepEqual(made(), ['skipped.service'], 'only the one from before');
  });

  test('asks nobody where no unit asks for it', async (t) => {
    const found = [{ unit: 'a.service', status: 'up_to_date', isAutoUpdated: false }] as const;
    const { asked, run, known, store } = make(t, found);
    assert.equal((await run('auto-update')).summary, 'No unit asks for it.');
    assert.deepEqual(asked, []);
    const idle = createIdleReason(known, store);
    assert.match(idle('auto-update') ?? '', /AutoUpdate=registry/);
    assert.deepEqual([idle('check-updates'), idle('prune')], [undefined, undefined]);
  });

  test('fails where the host does not answer', async (t) => {
    const { failure } = fail('PODMAN_UNAVAILABLE', 'No.');
    const found = [{ unit: 'a.service', status: 'up_to_date' }] as const;
    for (const what of ['auto-update', 'check-updates'] as const) {
      const { run } = make(t, found, { failure });
      const end = await run(what);
      assert.deepEqual([end.status, 'failure' in end && end.failure], ['failed', failure]);
    }
  });
});

describe('check-updates', () => {
  test('looks at all units that are known, and deploys nothing', async (t) => {
    const { run, asked, made, notes } = make(t, [
      { unit: 'a.service', status: 'tag_update_available', isAutoUpdated: false },
      { unit: 'b.service', status: 'up_to_date' },
    ]);
    const { summary } = await run('check-updates');
    assert.equal(summary, 'Of 2 units 1 have something newer, 1 without an answer.');
    assert.deepEqual([asked, made(), notes[0]?.level], [[undefined], [], 'warning']);
  });
});

describe('reconcile', () => {
  const deployment = {
    ...({ wanted_digest: DIGEST, restart_unit: null, write_image: null, is_brought: 0 } as const),
    ...{ former_image_id: 'old', former_digest: null, held_as: null, dependents: '[]' },
    ...({ stage: 'ended', cause_code: null, cause_detail: null } as const),
  };

  /** Of each unit a deployment that has succeeded. */
  function deploy(store: ReturnType<typeof make>['store'], unit: string, id: string, at: number) {
    const task = `tsk_${unit}${at}`;
    store.tasks.insert(newTask({ id: task, unit }));
    const image = `ghcr.io/o/${unit}:main`;
    const of = { task_id: task, unit, image, wanted_image_id: id, updated_at: at };
    store.deployments.save({ ...deployment, ...of });
    store.tasks.finish({ id: task, attempts: 0 }, { status: 'succeeded', summary: '', at });
  }

  test('tells of each unit that runs something else than was deployed last', async (t) => {
    const units = ['a', 'b', 'c'].map((unit) => ({ unit, status: 'up_to_date' as const }));
    const running = ['1 ghcr.io/o/a:main a', '3 ghcr.io/o/b:main b', '9 ghcr.io/o/x:main x'];
    const { store, run, notes } = make(t, units, { running: running.join('\n') });
    deploy(store, 'a', '1', 5);
    deploy(store, 'b', '1', 5);
    deploy(store, 'b', '2', 6);
    deploy(store, 'c', '1', 5);
    deploy(store, 'x', '1', 5);
    const { status, summary } = await run('reconcile');
    const said = 'Of 2 units 1 do not run what was deployed.';
    assert.deepEqual([status, summary], ['succeeded', said]);
    assert.deepEqual(notes, [
      { level: 'warning', summary: 'b does not run what tsk_b6 has left it with.' },
    ]);
  });

  test('tells of tasks that wait although their time has come', async (t) => {
    const { store, run, notes } = make(t, []);
    const now = Date.now();
    store.tasks.insert(newTask({ id: 'tsk_old', unit: 'a', created_at: now - 3_700_000 }));
    store.tasks.insert(newTask({ id: 'tsk_new', unit: 'b', created_at: now - 3_500_000 }));
    const { summary } = await run('reconcile');
    assert.match(summary, / 1 tasks wait for long\.$/);
    assert.match(notes[0]?.summary ?? '', /^tsk_old of a waits/);
  });

  test('fails where podman does not answer', async (t) => {
    const { run } = make(t, [], { failure: fail('PODMAN_FAILED', '').failure });
    const end = await run('reconcile');
    assert.deepEqual(
      [end.status, 'failure' in end && end.failure.code],
      ['failed', 'PODMAN_FAILED'],
    );
  });
});
