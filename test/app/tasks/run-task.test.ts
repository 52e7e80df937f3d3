import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Store } from '../../../app/db/store.ts';
import { planSteps } from '../../../app/domain/deployment-plan.ts';
import { policyDefaults } from '../../../app/domain/unit-policy.ts';
import { openLocalHost } from '../../../app/host/open-host.ts';
import { type RunTaskParts, runTask } from '../../../app/tasks/run-task.ts';
import { fail, succeed } from '../../../shared/contract/outcome.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { AUTO_UPDATE_SETTINGS, DEPLOY_SETTINGS } from '../../helpers/deploy-settings.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { defer, keepLog, makeFolder } from '../http/http-fixture.ts';
import { addTask, findTask, logOf, makeStore } from './task-fixture.ts';

const DAY_MS = 86_400_000;
const DIGEST = `sha256:${'0a'.repeat(32)}`;
const IMAGE = 'ghcr.io/octo-org/web';

/**
 * A PATH of small programs in place of those of the host: `busctl` knows one unit, `podman` one container of it. How
 * each of them ends stands in files, so that a test can change it.
 */
function fakeHost(context: TestContext, programs: Readonly<Record<string, string>>): void {
  const folder = makeFolder(context);
  const path = process.env['PATH'];
  defer(context, () => {
    process.env['PATH'] = path;
  });
  process.env['PATH'] = `${folder}:/usr/bin:/bin`;
  const hidden = { systemctl: 'exit 0', journalctl: 'echo "a line of the journal"' };
  for (const [name, script] of Object.entries({ ...hidden, ...programs })) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
}

/** A user manager that has loaded the unit from a file. */
const busctl = (file = '') => `case "$*" in
  *.Unit*) printf '{"type":"s","data":"%s"}\\n' web.service loaded active running; echo '{"type":"b","data":false}'
     printf '{"type":"s","data":"%s"}\\n' '' '${file}'
     for list in BindsTo Requires DropInPaths; do echo '{"type":"as","data":[]}'; done ;;
  *) echo '{"type":"s","data":"success"}'; echo '{"type":"u","data":1}'
     echo '{"type":"a(sasbttttuii)","data":[["/usr/bin/podman",["podman","run","${IMAGE}:stable"],false,0,0,0,0,0,0,0]]}' ;;
esac`;
const BUSCTL = busctl();

const RUNNING = `[{"Id":"c1","Name":"web","State":{"Status":"running"},"Image":"i1","ImageName":"${IMAGE}:stable","ImageDigest":"${DIGEST}"}]`;
const SEEN = `[{"Id":"c1","State":"running","Status":"Up 1 second","Image":"${IMAGE}:stable","ImageID":"i1"}]`;
const LOCAL = `[{"Id":"i1","Digest":"${DIGEST}","RepoDigests":null}]`;
const PODMAN = `case "$1 $2" in
  "ps --all") case "$*" in *json*) echo '${SEEN}' ;; *) echo c1 ;; esac ;;
  "container inspect") echo '${RUNNING}' ;;
  "image inspect") echo '${LOCAL}' ;;
  info*) echo '{}' ;;
esac`;

function start(context: TestContext, parts: Partial<RunTaskParts> = {}) {
  const store = makeStore(context);
  const { lines, log } = keepLog();
  const id = addTask(store, 'web.service');
  const settings = {
    ...{ pullTimeoutMs: 10_000, restartTimeoutMs: 10_000, journalLines: 5 },
    ...DEPLOY_SETTINGS,
    ...{ taskRetentionMs: DAY_MS, deliveryRetentionMs: DAY_MS, eventRetentionMs: DAY_MS },
    ...{ eventMaxRows: 1_000_000, backupKeep: 2 },
    ...AUTO_UPDATE_SETTINGS,
  };
  const folder = makeTempFolder(context);
  const paths = { ...statePaths(folder), database: join(folder, 'none.db') };
  const { signal } = new AbortController();
  const lookUp: RunTaskParts['lookUp'] = () => Promise.resolve(succeed({ digest: DIGEST }));
  const onWake = () => undefined;
  const lockUnits = () =>
    Promise.resolve({ isHeld: true, hasWaited: false, release: () => undefined });
  const host = openLocalHost('user', {});
  const all: RunTaskParts = {
    store,
    log,
    settings,
    paths,
    updates: () => assert.fail('it has no use for updates'),
    host,
    lookUp,
    lockUnits,
    signal,
    onWake,
    mask: (text) => text,
    ...parts,
  };
  return {
    store,
    lines,
    id,
    run: (task = id) => runTask(all, attemptOf(store.tasks, task)),
  };
}

function dispatch(store: Store, id: string): void {
  store.tasks.markDispatched(id, 'child', Date.now());
}

describe('run task', () => {
  test('a task is carried out to its end, with evidence and every command on record', async (t) => {
    fakeHost(t, { busctl: BUSCTL, podman: PODMAN });
    const { store, id, run, lines } = start(t);
    dispatch(store, id);
    assert.equal(await run(), true);
    const task = findTask(store, id);
    assert.deepEqual([task.status, task.phase, task.error_code], ['skipped', 'done', null]);
    assert.deepEqual(
      [task.image, task.registry_digest, task.running_digest],
      [`${IMAGE}:stable`, DIGEST, DIGEST],
    );
    assert.ok(task.claimed_at && task.started_at && task.finished_at);
    const actions = logOf(store, id);
    assert.equal(actions.at(-1), 'task-ended');
    assert.ok(actions.includes('digest-resolved'));
    assert.equal(actions.filter((action) => action === 'command').length, 6);
    assert.match(lines.join(''), /task started/);
  });

  test('a plan that would be otherwise when its turn comes is not carried out', async (t) => {
    fakeHost(t, { busctl: BUSCTL, podman: PODMAN });
    const { store, id, run } = start(t);
    const shown = planSteps({
      ...{ unit: 'web.service', restartUnit: 'web.service', digest: `sha256:${'1'.repeat(64)}` },
      image: { registry: 'ghcr.io', repository: 'octo-org/web', tag: 'stable' },
      ...{ heldHere: null, writeImage: null, policy: policyDefaults(DEPLOY_SETTINGS) },
      ...{ running: null, isWantedRunning: false, isStopped: false, former: null },
      ...{ dependents: [], obstacle: null },
    });
    const planned = `${id.slice(0, -1)}z`;
    store.tasks.finish({ id, attempts: 0 }, { status: 'cancelled', summary: '', at: 1 });
    const base = { ...findTask(store, id), id: planned, kind: 'manual' } as const;
    store.tasks.insert({ ...base, plan: JSON.stringify(shown) });
    dispatch(store, planned);
    assert.equal(await run(planned), true);
    const task = findTask(store, planned);
    assert.deepEqual([task.status, task.error_code], ['failed', 'PLAN_CHANGED']);
    assert.match(task.error_detail ?? '', /wanted_digest: planned "sha256:1+", now "sha256:/);
    assert.equal(logOf(store, planned).includes('digest-resolved'), false);
  });

  test('a task that fails ends with code, detail and diagnostics', async (t) => {
    fakeHost(t, { busctl: BUSCTL, podman: PODMAN });
    const { store, id, run } = start(t, {
      lookUp: () => Promise.resolve(fail('REGISTRY_IMAGE_NOT_FOUND', 'It says 404.')),
    });
    dispatch(store, id);
    assert.equal(await run(), true);
    const task = findTask(store, id);
    assert.deepEqual(
      [task.status, task.error_code, task.error_detail],
      ['failed', 'REGISTRY_IMAGE_NOT_FOUND', 'It says 404.'],
    );
    assert.deepEqual([task.running_digest, task.running_image], [DIGEST, `${IMAGE}:stable`]);
    const log = store.taskLogs.listByTask(id);
    assert.equal(log.at(-1)?.level, 'error');
    assert.ok(log.some(({ meta }) => meta?.includes('a line of the journal')));
    assert.ok(!logOf(store, id).includes('digest-resolved'));
  });

  test('two processes at the same time: exactly one takes the task', async (t) => {
    fakeHost(t, { busctl: BUSCTL, podman: PODMAN });
    const { store, id, run } = start(t);
    dispatch(store, id);
    const taken = await Promise.all([run(), run(), run()]);
    assert.deepEqual(taken.sort(), [false, false, true]);
    assert.equal(logOf(store, id).filter((action) => action === 'task-ended').length, 1);
  });

  for (const [title, prepare] of [
    ['pending', () => {}],
    [
      'taken by another',
      (store: Store, id: string) => {
        dispatch(store, id);
        store.tasks.claim(attemptOf(store.tasks, id), 1);
      },
    ],
    [
      'ended',
      (store: Store, id: string) => {
        store.tasks.finish(attemptOf(store.tasks, id), {
          status: 'cancelled',
          summary: 'No.',
          at: 1,
        });
      },
    ],
  ] as const) {
    test(`a task that is ${title} is left alone`, async (t) => {
      const { store, id, run, lines } = start(t);
      prepare(store, id);
      const before = findTask(store, id);
      assert.equal(await run(), false);
      assert.deepEqual(findTask(store, id), before);
      assert.match(lines.join(''), /not there to be taken/);
    });
  }

  test('a task that is told to end gives itself back, and its command is ended', async (t) => {
    fakeHost(t, { busctl: 'exec sleep 600', podman: PODMAN });
    const ending = new AbortController();
    const { store, id, run } = start(t, { signal: ending.signal });
    dispatch(store, id);
    const ended = run();
    await until('the claim', 5000, () => findTask(store, id).phase === 'reading-unit');
    ending.abort();
    assert.equal(await ended, true);
    const task = findTask(store, id);
    assert.deepEqual(
      [task.status, task.phase, task.claimed_at, task.error_code],
      ['pending', 'queued', null, null],
    );
    assert.equal(logOf(store, id).at(-1), 'task-released');
    const commands = store.taskLogs.listByTask(id).map(({ meta }) => meta ?? '');
    assert.ok(commands.some((meta) => meta.includes('"kind":"aborted"')));
  });

  test('a task that is told to end while the registry is asked gives itself back', async (t) => {
    fakeHost(t, { busctl: BUSCTL, podman: PODMAN });
    const ending = new AbortController();
    const { store, id, run } = start(t, {
      signal: ending.signal,
      lookUp: () => {
        ending.abort();
        return Promise.reject(ending.signal.reason);
      },
    });
    dispatch(store, id);
    assert.equal(await run(), true);
    assert.equal(findTask(store, id).status, 'pending');
  });

  test('a bug is thrown, and the task stays for the dispatcher to close', async (t) => {
    fakeHost(t, { busctl: BUSCTL, podman: PODMAN });
    const { store, id, run } = start(t, { lookUp: () => Promise.reject(new Error('a bug')) });
    dispatch(store, id);
    await assert.rejects(run(), /a bug/);
    assert.equal(findTask(store, id).status, 'running');
  });

  test('an attempt that was cut off behind its restart is a success, not skipped', async (t) => {
    fakeHost(t, { busctl: BUSCTL, podman: PODMAN });
    const { store, id, run } = start(t);
    dispatch(store, id);
    store.tasks.setEvidence(attemptOf(store.tasks, id), { pulled_digest: DIGEST }, 1);
    await run();
    assert.equal(findTask(store, id).status, 'succeeded');
  });
});

describe('run task: an image whose time has not come', () => {
  const NEW = `sha256:${'0b'.repeat(32)}`;
  const lookUp: RunTaskParts['lookUp'] = () => Promise.resolve(succeed({ digest: NEW }));

  /** A host whose unit file says that; `podman` may be asked but changes nothing. */
  function fakePolicy(context: TestContext, line: string): void {
    const file = join(makeFolder(context), 'web.container');
    writeFileSync(file, `[Container]\nImage=${IMAGE}:stable\n[X-PodUp]\n${line}\n`);
    fakeHost(context, { busctl: busctl(file), podman: PODMAN });
  }

  test('gives the task back with its time, and says why', async (t) => {
    fakePolicy(t, 'MinAge=1h');
    const { store, id, run, lines } = start(t, { lookUp });
    dispatch(store, id);
    const before = Date.now();
    assert.equal(await run(), true);
    const task = findTask(store, id);
    const seen = store.sightings.note('web.service', NEW, Number.MAX_SAFE_INTEGER);
    assert.ok(seen >= before && seen <= Date.now());
    assert.deepEqual(
      [task.status, task.phase, task.not_before, task.deferrals, task.claimed_at],
      ['pending', 'waiting', seen + 3_600_000, 1, null],
    );
    assert.deepEqual([task.finished_at, task.error_code, task.executor], [null, null, null]);
    assert.deepEqual([task.registry_digest, task.pulled_digest], [NEW, null]);
    const last = store.taskLogs.listByTask(id).at(-1);
    assert.deepEqual([last?.action, last?.level], ['task-deferred', 'info']);
    const due = new Date(seen + 3_600_000).toISOString();
    assert.ok(last?.summary.includes(`(${NEW}) is too new until ${due}.`));
    assert.ok(!logOf(store, id).includes('task-ended'));
    assert.match(lines.join(''), /"notBefore":\d+/);
    const commands = store.taskLogs.listByTask(id).map(({ meta }) => meta ?? '');
    assert.ok(!commands.some((meta) => /"(?:pull|tag|restart)"/.test(meta)), commands.join('\n'));
  });

  test('does not get more time where the task comes back too early', async (t) => {
    fakePolicy(t, 'MinAge=1h');
    const { store, id, run } = start(t, { lookUp });
    dispatch(store, id);
    await run();
    const first = findTask(store, id).not_before;
    dispatch(store, id);
    await run();
    const task = findTask(store, id);
    assert.deepEqual([task.not_before, task.deferrals, task.attempts], [first, 2, 2]);
  });
});

describe('a task whose registry limits the rate', () => {
  const limited = fail('REGISTRY_RATE_LIMITED', 'It says 429. Retry-After: 90.');
  const lookUp: RunTaskParts['lookUp'] = () =>
    Promise.resolve({ ok: false, failure: { ...limited.failure, retryAfterMs: 90_000 } });

  test('waits as long as that asks, and says so', async (t) => {
    fakeHost(t, { busctl: BUSCTL, podman: PODMAN });
    const { store, id, run } = start(t, { lookUp });
    dispatch(store, id);
    const before = Date.now();
    assert.equal(await run(), true);
    const task = findTask(store, id);
    assert.deepEqual(
      [task.status, task.phase, task.rate_limit_waits, task.error_code],
      ['pending', 'waiting', 1, null],
    );
    const dueMs = (task.not_before ?? 0) - 90_000;
    assert.ok(dueMs >= before && dueMs <= Date.now(), `${dueMs - before} ms`);
    const last = store.taskLogs.listByTask(id).at(-1);
    assert.equal(last?.action, 'task-deferred');
    const said = `waits for its registry until ${new Date(task.not_before ?? 0).toISOString()}.`;
    assert.ok(last?.summary.includes(said), last?.summary);
    assert.match(last?.summary ?? '', /REGISTRY_RATE_LIMITED: .* Retry-After: 90\./);
  });

  test('fails where that does not end', async (t) => {
    fakeHost(t, { busctl: BUSCTL, podman: PODMAN });
    const { store, id, run } = start(t, { lookUp });
    for (let waits = 0; waits <= 5; waits++) {
      assert.deepEqual([findTask(store, id).rate_limit_waits, waits], [waits, waits]);
      dispatch(store, id);
      await run();
    }
    const task = findTask(store, id);
    assert.deepEqual([task.status, task.error_code], ['failed', 'REGISTRY_RATE_LIMITED']);
    assert.match(task.error_detail ?? '', /Retry-After: 90\. It was waited for 5 times\./);
  });
});
