import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { policyDefaults } from '../../../app/domain/unit-policy.ts';
import { openLocalHost } from '../../../app/host/open-host.ts';
import { type UnitChange, UnitDiscovery } from '../../../app/units/discover-units.ts';
import { createKnownUnits } from '../../../app/units/known-units.ts';
import { sweepUnits } from '../../../app/units/sweep-units.ts';
import { watchFolders } from '../../../app/units/watch-folders.ts';
import { fail, succeed } from '../../../shared/contract/outcome.ts';
import type { CommandResult } from '../../../shared/process/run-command.ts';
import { DEPLOY_SETTINGS } from '../../helpers/deploy-settings.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { keepLog } from '../http/http-fixture.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

const HOST = 'user localhost';
const CONTAINER = '[Container]\nImage=ghcr.io/octo-org/hello\nAutoUpdate=registry\n';
const SERVICE = '[Service]\nExecStart=/usr/bin/podman run ghcr.io/octo-org/hello\n';

/** A host of real folders; what its commands say the test decides. */
function start(context: TestContext, options: { everyMs?: number; isWatched?: boolean } = {}) {
  const folder = makeTempFolder(context);
  const [quadlets, units] = [join(folder, 'quadlets'), join(folder, 'units')];
  for (const one of [quadlets, units]) mkdirSync(one);
  const { store } = openTestStore(context, folder);
  const { log, lines } = keepLog();
  const answers: { podman: Partial<CommandResult>; sweeps: number; hold: Promise<void> | null } = {
    ...{ podman: { stdout: '[]' }, sweeps: 0, hold: null },
  };
  const { run } = answerCommands(([file]) =>
    file === 'podman' ? answers.podman : { stdout: `UnitPath="${units}" /usr/none\n` },
  );
  const host = {
    ...openLocalHost('user', process.env),
    run,
    readEnvironment: () => Promise.resolve(succeed({ XDG_CONFIG_HOME: folder, uid: 7 })),
  };
  const told = new EventEmitter<{ swept: [UnitChange]; failed: [string] }>();
  const known = createKnownUnits({
    ...{ listed: ['listed.service'], autoDiscover: true },
    readFound: () => store.discovered.list(HOST),
  });
  const defaults = policyDefaults(DEPLOY_SETTINGS);
  const discovery = new UnitDiscovery({
    ...{ store, host: HOST, known, log, everyMs: options.everyMs ?? 3_600_000 },
    sweep: async (signal) => {
      answers.sweeps += 1;
      await answers.hold;
      return sweepUnits({ host, defaults, containerDir: quadlets, signal });
    },
    ...(options.isWatched && {
      watch: (onChange) => watchFolders({ onChange, log, quietMs: 1 }),
    }),
    onSwept: (change) => told.emit('swept', change),
    onFailure: (source) => told.emit('failed', source),
  });
  context.after(() => discovery.close());
  const all = () => known.all().map(({ unit }) => unit.replace('.service', ''));
  return { store, lines, answers, discovery, known, told, all, quadlets, units };
}

function swept(told: EventEmitter<{ swept: [UnitChange]; failed: [string] }>) {
  return once(told, 'swept') as Promise<[UnitChange]>;
}

describe('the first discovery after a start', () => {
  test('is told of once every place could be looked into, and no later one', async (t) => {
    const { discovery, units, answers, told } = start(t);
    let firsts = 0;
    answers.podman = { end: { kind: 'exited', code: 125 } };
    writeFileSync(join(units, 'web.service'), SERVICE);
    const first = swept(told);
    discovery.start(() => void firsts++);
    await first;
    await discovery.refresh(10_000);
    assert.equal(firsts, 1, 'of what could be looked into');
    answers.podman = {
      stdout: JSON.stringify([{ Image: 'x', Labels: { PODMAN_SYSTEMD_UNIT: 'web.service' } }]),
    };
    await discovery.refresh(10_000);
    assert.equal(firsts, 2, 'podman was not looked into before');
    writeFileSync(join(units, 'later.service'), SERVICE);
    await discovery.refresh(10_000);
    assert.equal(firsts, 2);
  });
});

describe('discovery', () => {
  test('stores what it finds with its places, and removes what is gone', async (t) => {
    const { discovery, quadlets, units, all, known, answers, store } = start(t);
    writeFileSync(join(quadlets, 'web.container'), CONTAINER);
    writeFileSync(join(units, 'web.service'), SERVICE);
    writeFileSync(join(units, 'hand.service'), SERVICE);
    const label = { PODMAN_SYSTEMD_UNIT: 'web.service' };
    const other = { PODMAN_SYSTEMD_UNIT: 'dbus.service', 'io.containers.autoupdate': 'registry' };
    answers.podman = {
      stdout: JSON.stringify([
        { Image: 'x', Labels: label },
        { Image: 'x', Labels: other },
      ]),
    };
    await discovery.refresh(10_000);
    assert.deepEqual(all(), ['listed', 'hand', 'web']);
    const sources = known.placesOf('web.service').map(({ source }) => source);
    assert.deepEqual(sources, ['podman', 'quadlet', 'unit-file']);
    rmSync(join(quadlets, 'web.container'));
    rmSync(join(units, 'web.service'));
    await discovery.refresh(10_000);
    assert.deepEqual(all(), ['listed', 'hand']);
    assert.equal(known.admit('person', 'web.service').allowed, false);
    assert.deepEqual(
      store.discovered.list(HOST).map(({ unit }) => unit),
      ['hand.service'],
    );
  });

  test('keeps what a place has shown while it cannot be looked into, and complains once', async (t) => {
    const { discovery, units, all, answers, lines, told, store } = start(t);
    const failed: string[] = [];
    told.on('failed', (source) => failed.push(source));
    writeFileSync(join(units, 'web.service'), SERVICE);
    answers.podman = {
      stdout: JSON.stringify([{ Image: 'x', Labels: { PODMAN_SYSTEMD_UNIT: 'web.service' } }]),
    };
    await discovery.refresh(10_000);
    answers.podman = { end: { kind: 'exited', code: 125 } };
    await discovery.refresh(10_000);
    await discovery.refresh(10_000);
    assert.deepEqual(all(), ['listed', 'web']);
    assert.equal(store.discovered.list(HOST).length, 2);
    assert.deepEqual(failed, ['podman']);
    assert.equal(lines.filter((line) => line.includes('cannot be looked for')).length, 1);
    answers.podman = { stdout: '[]' };
    await discovery.refresh(10_000);
    assert.equal(store.discovered.list(HOST).length, 1);
    assert.equal(lines.filter((line) => line.includes('found again')).length, 1);
  });

  test('hears of a new file, a changed one and one that goes', async (t) => {
    const { discovery, quadlets, told, all, known } = start(t, { isWatched: true });
    const first = swept(told);
    discovery.start();
    await first;
    const seen = async (write: () => void, isThere: () => boolean) => {
      write();
      while (!isThere()) await swept(told);
    };
    const file = join(quadlets, 'web.container');
    await seen(
      () => writeFileSync(file, CONTAINER),
      () => all().includes('web'),
    );
    assert.ok(known.admit('webhook', 'web.service').allowed);
    await seen(
      () => writeFileSync(file, `${CONTAINER}[X-PodUp]\nWebhookEnabled=no\n`),
      () => !known.admit('webhook', 'web.service').allowed,
    );
    await seen(
      () => rmSync(file),
      () => !all().includes('web'),
    );
  });

  test('looks from time to time where nothing tells of a change', async (t) => {
    const { discovery, quadlets, told, all } = start(t, { everyMs: 20 });
    const first = swept(told);
    discovery.start();
    await first;
    writeFileSync(join(quadlets, 'web.container'), CONTAINER);
    while (!all().includes('web')) await swept(told);
  });

  test('sweeps once for all who ask at a time, and waits for no longer than they do', async (t) => {
    const { discovery, answers, quadlets, all } = start(t);
    const { promise, resolve } = Promise.withResolvers<void>();
    answers.hold = promise;
    writeFileSync(join(quadlets, 'web.container'), CONTAINER);
    const asked = [discovery.refresh(60_000), discovery.refresh(60_000)];
    await discovery.refresh(1);
    assert.deepEqual([answers.sweeps, discovery.isSweeping(), all()], [1, true, ['listed']]);
    resolve();
    await Promise.all(asked);
    assert.deepEqual(
      [answers.sweeps, discovery.isSweeping(), all()],
      [1, false, ['listed', 'web']],
    );
  });

  test('writes nothing any more once it is closed', async (t) => {
    const { discovery, answers, store, quadlets } = start(t);
    const { promise, resolve } = Promise.withResolvers<void>();
    answers.hold = promise;
    writeFileSync(join(quadlets, 'web.container'), CONTAINER);
    const asked = discovery.refresh(60_000);
    const closed = discovery.close();
    resolve();
    await Promise.all([asked, closed]);
    assert.deepEqual(store.discovered.listSweeps(HOST), []);
    await discovery.refresh(1);
    assert.equal(answers.sweeps, 1);
  });

  test('a database that takes nothing leaves what was known', async (t) => {
    const { store, known, lines } = start(t);
    const broken = new UnitDiscovery({
      ...{ host: HOST, known, everyMs: 1_000, log: keepLog().log },
      store: { ...store, transact: () => assert.fail('disk I/O error') },
      sweep: () => {
        const failed = fail('DISCOVERY_FAILED', '');
        const sweep = { quadlet: failed, 'unit-file': failed, podman: failed };
        return Promise.resolve({ sweep, folders: { quadlet: [], units: [] } });
      },
    });
    await broken.refresh(10_000);
    assert.deepEqual([known.all().length, lines.length], [1, 0]);
  });
});
