import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, getuid } from 'node:process';
import { describe, type TestContext, test } from 'node:test';
import { openLocalHost } from '../../app/host/open-host.ts';
import { readUnit } from '../../app/host/read-unit.ts';
import { findInactive, readStanding, readUnitSample } from '../../app/host/read-unit-state.ts';
import { resetFailed, restartUnit } from '../../app/host/systemctl.ts';
import {
  type CommandResult,
  isSuccess,
  type RunCommand,
} from '../../shared/process/run-command.ts';
import { startUnits, systemctl } from '../helpers/lab-units.ts';
import { until } from '../helpers/until.ts';

const scope = getuid?.() === 0 ? 'system' : 'user';
const plain = openLocalHost(scope, env).run;

/** This host by the socket of its service manager, and how each question was answered. */
function openServed(context: TestContext, environment: NodeJS.ProcessEnv = env) {
  const host = openLocalHost(scope, environment, { sockets: 'manager' });
  context.after(() => host.close());
  const results: CommandResult[] = [];
  const run: RunCommand = async (wanted) => {
    const result = await host.run(wanted);
    results.push(result);
    return result;
  };
  const kinds = () => [...new Set(results.map(({ end }) => end.kind))];
  return { host, run, kinds };
}

const service = (lines: string) => `[Unit]\nStartLimitIntervalSec=0\n[Service]\n${lines}\n`;
/** Of this process: to whichever socket. */
const countConnections = () =>
  process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
const jobOf = (unit: string) => systemctl('show', '--property=Job', '--value', unit);
const mainPid = (unit: string) => Number(systemctl('show', '--property=MainPID', '--value', unit));

const unconnected = countConnections();

describe('the service manager by its socket', () => {
  startUnits(
    {
      'plain.service': service('ExecStart=/bin/sleep 1000'),
      '9-lives@.service': service(
        'ExecStart=/bin/sleep "10 00" x\nExecStart=\nExecStart=/bin/sleep 1000',
      ),
      'needs.service': `${service('ExecStart=/bin/sleep 1000')}[Unit]\nRequires=plain.service\nAfter=plain.service\n`,
      'needs-it.service': `${service('ExecStart=/bin/sleep 1000')}[Unit]\nBindsTo=needs.service\nAfter=needs.service\n`,
      'fails.service': service('Type=oneshot\nExecStart=/bin/false'),
      'slow.service': service('Type=oneshot\nExecStart=/bin/sleep 1000'),
      'waits.service': service(
        `Type=oneshot\nExecStart=/bin/sh -c 'until [ -e %t/podup-go ]; do sleep 0.1; done'`,
      ),
      'late.service': service('Type=notify\nTimeoutStartSec=1\nExecStart=/bin/sleep 1000'),
      'behind.service': `${service('ExecStart=/bin/sleep 1000')}[Unit]\nRequires=fails.service\nAfter=fails.service\n`,
      'some.target': '[Unit]\nRequires=plain.service\n',
    },
    ...['plain.service', '9-lives@a-b.service', 'needs.service', 'needs-it.service', 'some.target'],
  );

  test('says of units what the commands say', async (t) => {
    const { run, kinds } = openServed(t);
    for (const ask of [
      (by: RunCommand) => readUnit(by, 'plain.service'),
      (by: RunCommand) => readUnit(by, '9-lives@a-b.service'),
      (by: RunCommand) => readUnit(by, 'nobody.service'),
      (by: RunCommand) => readUnitSample(by, 'plain.service'),
      (by: RunCommand) => readUnitSample(by, 'fails.service'),
      (by: RunCommand) => readUnitSample(by, 'nobody.service'),
      (by: RunCommand) => readStanding(by, 'plain.service', 'plain.service'),
      (by: RunCommand) => readStanding(by, '9-lives@a-b.service', 'needs.service'),
      (by: RunCommand) =>
        findInactive(by, ['plain.service', 'some.target', 'fails.service', 'nobody.service']),
    ]) {
      const [served, printed] = [await ask(run), await ask(plain)];
      assert.deepEqual(served, printed);
    }
    const standing = await readStanding(run, 'plain.service', 'plain.service');
    assert.ok(standing.ok);
    const dependents = ['needs-it.service', 'needs.service', 'some.target'];
    assert.deepEqual([...standing.value.dependents].sort(), dependents);
    assert.deepEqual(kinds(), ['answered']);
  });

  test('restarts a unit and comes back when it is up', async (t) => {
    const { run, kinds } = openServed(t);
    const before = mainPid('plain.service');
    assert.ok(isSuccess(await restartUnit(run, 'plain.service', 20_000)));
    const after = mainPid('plain.service');
    assert.ok(after > 0 && after !== before);
    assert.deepEqual(kinds(), ['answered']);
  });

  for (const [unit, said] of [
    [
      'fails.service',
      /^Job for fails\.service failed because the control process exited with error code\.$/,
    ],
    ['late.service', /^Job for late\.service failed because a timeout was exceeded\.$/],
    ['behind.service', /^A dependency job for behind\.service failed\.$/],
    ['nobody.service', /nobody\.service not found/],
  ] as const) {
    test(`says why ${unit} is not up`, async (t) => {
      const { run, kinds } = openServed(t);
      const [served, printed] = [
        await restartUnit(run, unit, 20_000),
        await restartUnit(plain, unit, 20_000),
      ];
      assert.match(served.stderr, said);
      assert.equal(isSuccess(served), false);
      // The command says the same, with advice behind it.
      const words = served.stderr.replace(/\.$/, '');
      assert.ok(printed.stderr.includes(words), `${printed.stderr} does not have: ${words}`);
      assert.deepEqual(kinds(), ['answered']);
    });
  }

  test('forgets failures, and says which unit it does not know', async (t) => {
    const { run, kinds } = openServed(t);
    await restartUnit(run, 'fails.service', 20_000);
    const state = () => systemctl('show', '--property=ActiveState', '--value', 'fails.service');
    assert.equal(state(), 'failed');
    assert.ok(isSuccess(await resetFailed(run, 'fails.service', 'plain.service')));
    assert.equal(state(), 'inactive');
    const unknown = await resetFailed(run, 'plain.service', 'nobody.service');
    assert.equal(isSuccess(unknown), false);
    assert.match(unknown.stderr, /^Failed to reset failed state of unit nobody\.service: .+$/);
    assert.deepEqual(kinds(), ['answered']);
  });

  test('a restart is given up at its limit and by its signal, and told from one that another canceled', async (t) => {
    const { run } = openServed(t);
    const limited = await restartUnit(run, 'slow.service', 200);
    assert.deepEqual(limited.end, { kind: 'timed-out' });
    const cut = new AbortController();
    const cutOff = run({
      argv: ['systemctl', '--user', 'restart', '--', 'slow.service'],
      timeoutMs: 20_000,
      signal: cut.signal,
      manager: { kind: 'restart', unit: 'slow.service' },
    });
    cut.abort();
    assert.deepEqual((await cutOff).end, { kind: 'aborted' });
    systemctl('stop', 'slow.service');
    const canceled = restartUnit(run, 'slow.service', 20_000);
    await until('the job is there', 10_000, () => jobOf('slow.service') !== '');
    systemctl('stop', 'slow.service');
    assert.equal((await canceled).stderr, 'Job for slow.service canceled.');
  });

  test('a manager that begins anew in the middle does not cost the restart', async (t) => {
    const { run } = openServed(t);
    const go = join(env['XDG_RUNTIME_DIR'] ?? '/run', 'podup-go');
    t.after(() => rmSync(go, { force: true }));
    const restarted = restartUnit(run, 'waits.service', 60_000);
    await until('the job is there', 10_000, () => jobOf('waits.service') !== '');
    systemctl('daemon-reexec');
    writeFileSync(go, '');
    // Nobody knows what came of the first: the command asks once more in its place.
    const result = await restarted;
    assert.deepEqual(result.end, { kind: 'exited', code: 0 }, result.stderr);
    assert.ok(isSuccess(await restartUnit(run, 'plain.service', 20_000)));
  });

  test('nobody stays connected who has nothing to ask, and who asks again is answered', async (t) => {
    const { run, kinds } = openServed(t);
    await until('those of before have left', 10_000, () => countConnections() === unconnected);
    await readUnitSample(run, 'plain.service');
    assert.equal(countConnections(), unconnected + 1);
    await until('it has left', 10_000, () => countConnections() === unconnected);
    assert.ok((await readUnitSample(run, 'plain.service')).ok);
    assert.deepEqual(kinds(), ['answered']);
  });

  test('where there is no socket the commands are run', async (t) => {
    const { run, kinds } = openServed(t, { ...env, XDG_RUNTIME_DIR: '/proc/none' });
    const sample = await readUnitSample(run, 'plain.service');
    assert.ok(sample.ok && sample.value.activeState === 'active');
    assert.deepEqual(kinds(), ['exited']);
  });
});
