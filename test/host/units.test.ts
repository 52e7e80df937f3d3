import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { until } from '../helpers/until.ts';

const SOURCES = join(import.meta.dirname, '../..');
const HOME = homedir();
const UNITS = join(HOME, '.config/systemd/user');
const BIN = join(HOME, '.local/bin');
const PROGRAM = join(BIN, 'pod-upgrade-trigger');
/** What the programs have written of their starts. */
const STARTS = join(HOME, 'starts');
/** How the programs are to end: `stay`, or an exit code. */
const ACT = join(HOME, 'act');
const RELEASE = 'pod-upgrade-trigger-release.service';
const PATIENCE_MS = 20_000;

/** Stands for the program: says how it was started, and does as it is told. */
const STAND_IN = `#!/bin/sh
echo "$(basename "$0") $PODUP_LAUNCHED_SLOT $$ $*" >> ~/starts
[ "\${LISTEN_PID:-}" = $$ ] && echo "socket \${LISTEN_FDS} $(readlink /proc/$$/fd/3 | cut -d: -f1)" >> ~/starts
act=$(cat ~/act)
[ "$act" = stay ] && exec sleep infinity
exit "$act"
`;

function systemctl(...args: string[]): string {
  return execFileSync('systemctl', ['--user', ...args], { encoding: 'utf8' }).trim();
}

const show = (unit: string, property: string) =>
  systemctl('show', unit, `--property=${property}`, '--value');

const starts = () => (existsSync(STARTS) ? readFileSync(STARTS, 'utf8').trim().split('\n') : []);

/** The first words of what was written, without process ids. */
const startedAs = () => starts().map((line) => line.split(' ').slice(0, 2).join(' '));

function waitFor<T>(what: string, probe: () => T | undefined | false): Promise<T> {
  return until(what, PATIENCE_MS, probe);
}

before(() => {
  for (const folder of [UNITS, BIN, `${UNITS}/${RELEASE}.d`])
    mkdirSync(folder, { recursive: true });
  for (const unit of globSync(`${SOURCES}/systemd/*.{service,socket,timer}`))
    copyFileSync(unit, join(UNITS, basename(unit)));
  // What the head of the release's unit tells a person to do.
  mkdirSync(join(HOME, '.local/lib/pod-upgrade-trigger'), { recursive: true });
  copyFileSync(`${SOURCES}/scripts/launch.sh`, `${HOME}/.local/lib/pod-upgrade-trigger/launch.sh`);
  mkdirSync(join(HOME, '.config/pod-upgrade-trigger'), { recursive: true });
  copyFileSync(
    `${SOURCES}/systemd/pod-upgrade-trigger-http.env`,
    `${HOME}/.config/pod-upgrade-trigger/env`,
  );
  // And what the unit of a checkout expects.
  const node = join(HOME, 'pod-upgrade-trigger/node_modules/.bin');
  mkdirSync(node, { recursive: true });
  writeFileSync(join(node, 'node'), STAND_IN, { mode: 0o755 });
  for (const name of ['', '.old']) writeFileSync(`${PROGRAM}${name}`, STAND_IN, { mode: 0o755 });
  // Only so that the test does not take long.
  writeFileSync(`${UNITS}/${RELEASE}.d/fast.conf`, '[Service]\nRestartSec=50ms\n');
  systemctl('daemon-reload');
});

beforeEach(() => {
  rmSync(STARTS, { force: true });
  writeFileSync(ACT, 'stay');
});

afterEach(() => {
  systemctl('stop', 'pod-upgrade-trigger-http.socket', RELEASE, 'pod-upgrade-trigger-http.service');
  systemctl('reset-failed');
  rmSync(`${PROGRAM}.tries`, { force: true });
});

after(() => systemctl('stop', 'pod-upgrade-trigger-updater.timer'));

describe('the units', () => {
  const files = globSync('*.{service,socket,timer}', { cwd: join(SOURCES, 'systemd') }).sort();

  test('are all there', () => {
    assert.deepEqual(files, [
      'pod-upgrade-trigger-http.service',
      'pod-upgrade-trigger-http.socket',
      'pod-upgrade-trigger-release.service',
      'pod-upgrade-trigger-updater.service',
      'pod-upgrade-trigger-updater.timer',
    ]);
  });

  for (const file of files)
    test(`${file} has nothing that systemd would complain of`, () => {
      const argv = ['--user', 'verify', '--man=no', join(UNITS, file)];
      const { status, stderr } = spawnSync('systemd-analyze', argv, { encoding: 'utf8' });
      assert.equal(stderr, '');
      assert.equal(status, 0);
    });
});

describe(RELEASE, () => {
  test('starts the program through the launcher, as its main process', async () => {
    systemctl('start', RELEASE);
    const [start] = await waitFor('the start', () => starts().length > 0 && starts());
    assert.equal(start, `pod-upgrade-trigger target ${show(RELEASE, 'MainPID')} supervise`);
  });

  for (const [act, why] of [
    ['0', 'which nobody asked for'],
    ['1', 'a crash'],
    ['69', 'the address is taken'],
    ['75', 'it asks for it'],
  ] as const)
    test(`starts it again when it ends with ${act}: ${why}`, async () => {
      writeFileSync(ACT, act);
      systemctl('start', RELEASE);
      await waitFor('the third start', () => starts().length >= 3);
    });

  test('starts it again when a SIGHUP comes before it listens to one', async () => {
    systemctl('start', RELEASE);
    await waitFor('the start', () => starts().length === 1);
    process.kill(Number(show(RELEASE, 'MainPID')), 'SIGHUP');
    await waitFor('the second start', () => starts().length === 2);
  });

  test('does not start it again when the configuration is wrong', async () => {
    writeFileSync(ACT, '78');
    systemctl('start', RELEASE);
    await waitFor('the end', () => show(RELEASE, 'ActiveState') === 'failed');
    assert.equal(starts().length, 1);
    assert.equal(show(RELEASE, 'ExecMainStatus'), '78');
  });

  test('does not start it again when it is told to stop', async () => {
    systemctl('start', RELEASE);
    await waitFor('the start', () => starts().length === 1);
    systemctl('stop', RELEASE);
    assert.equal(show(RELEASE, 'ActiveState'), 'inactive');
    assert.equal(starts().length, 1);
  });

  test('starts the former program once a new one has crashed as often as it may', async () => {
    writeFileSync(`${PROGRAM}.tries`, '2\n');
    writeFileSync(ACT, '1');
    systemctl('start', RELEASE);
    await waitFor('the third start', () => starts().length >= 3);
    assert.deepEqual(startedAs().slice(0, 3), [
      'pod-upgrade-trigger target',
      'pod-upgrade-trigger target',
      'pod-upgrade-trigger.old old',
    ]);
  });

  test('and the one for a checkout end each other', async () => {
    systemctl('start', RELEASE);
    systemctl('start', 'pod-upgrade-trigger-http.service');
    assert.equal(show(RELEASE, 'ActiveState'), 'inactive');
    systemctl('start', RELEASE);
    assert.equal(show('pod-upgrade-trigger-http.service', 'ActiveState'), 'inactive');
  });
});

describe('pod-upgrade-trigger-http.socket', () => {
  test('hands the socket through the launcher to the program', async () => {
    const dropIn = `${UNITS}/pod-upgrade-trigger-http.socket.d`;
    mkdirSync(dropIn, { recursive: true });
    writeFileSync(`${dropIn}/release.conf`, `[Socket]\nService=${RELEASE}\n`);
    systemctl('daemon-reload');
    systemctl('start', 'pod-upgrade-trigger-http.socket');
    assert.deepEqual(starts(), []);
    const client = connect(25_111, '127.0.0.1');
    await once(client, 'connect');
    await waitFor('the start', () => starts().length === 2);
    client.destroy();
    assert.equal(starts()[1], 'socket 1 socket');
    assert.equal(show('pod-upgrade-trigger-http.socket', 'Backlog'), '4096');
    rmSync(dropIn, { recursive: true });
    systemctl('daemon-reload');
  });
});

describe('pod-upgrade-trigger-updater', () => {
  test('asks for an update, and passes on how that went', () => {
    writeFileSync(ACT, '0');
    systemctl('start', 'pod-upgrade-trigger-updater.service');
    assert.match(starts()[0] ?? '', /^pod-upgrade-trigger {2}\d+ self-update run$/);
    writeFileSync(ACT, '1');
    assert.throws(() => systemctl('start', 'pod-upgrade-trigger-updater.service'));
  });

  test('does so by itself, within the time after the start of the host and then every six hours', () => {
    writeFileSync(ACT, '0');
    systemctl('start', 'pod-upgrade-trigger-updater.timer');
    const timers = show('pod-upgrade-trigger-updater.timer', 'TimersMonotonic');
    assert.match(timers, /OnBootUSec=5min/);
    assert.match(timers, /OnUnitActiveUSec=6h/);
  });
});
