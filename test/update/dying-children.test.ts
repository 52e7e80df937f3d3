import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { UpdateHistoryEntry } from '../../shared/contract/update-history.ts';
import { type Installation, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { until } from '../helpers/until.ts';
import { digestOf } from '../helpers/update-checks.ts';
import { Host, inRole, inWorker, PUPPET, STATE_OF_RECORD } from './fault-fixture.ts';

/** Dies by SIGKILL, as the OOM killer does it, so often as a file of this name has letters. */
const dieSoOften = (name: string) => `{
  const fs = require('node:fs');
  const path = process.env.PODUP_STATE_DIR + '/die-${name}';
  const left = fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '';
  fs.writeFileSync(path, left.slice(1));
  if (left !== '') process.kill(process.pid, 'SIGKILL');
}`;

const FIRST = {
  prologue: [
    PUPPET,
    inRole('stage-release', dieSoOften('stager')),
    inRole('db-backup', dieSoOften('backup')),
  ].join('\n'),
};

describe('SIGKILL, exit codes and back-off', () => {
  let host: Host;
  let installation: Installation;
  before(async () => {
    host = await Host.start({ first: FIRST });
    installation = host.installation;
  });
  after(() => host[Symbol.asyncDispose]());

  /** Has the worker do something that ends it, and waits for the next one; what was said meanwhile. */
  const die = async (code: string) => {
    const { now } = host;
    host.pull(code);
    await host.service.ready(now);
    return host.service.lines.slice(now).map(({ msg }) => msg);
  };
  const checkCrash = (said: readonly string[]) => {
    assert.ok(said.includes('worker ended unasked'), said.join());
    assert.ok(said.includes('waiting before the next start'), said.join());
  };
  /** Asks as a program does that can only write a file and end with 10. */
  const askAndEnd = (request: object) => `
    const fs = require('node:fs');
    const path = process.env.PODUP_STATE_DIR + '/data/update-request.json';
    fs.writeFileSync(path + '.aside', JSON.stringify({ pid: process.pid, ...${JSON.stringify(request)} }));
    fs.renameSync(path + '.aside', path);
    process.exit(10);`;
  const arm = (name: string, times: number) =>
    writeFileSync(join(installation.paths.stateDir, `die-${name}`), 'x'.repeat(times));

  test('a worker that ends with 10 and has asked for nothing counts as crashed', async () => {
    checkCrash(await die('process.exit(10)'));
    assert.equal(existsSync(installation.paths.updateRecord), false);
    assert.deepEqual(installation.history(), []);
  });

  test('a worker that is killed is started again', async () => {
    checkCrash(await die(`process.kill(process.pid, 'SIGKILL')`));
    assert.equal(await host.service.version(), '1.0.0');
  });

  test('a worker that ends with 10 upon the request of another process counts as crashed', async () => {
    const { tag } = await host.offer();
    const stale = { id: 'stale', command: 'run', tag, dryRun: true, pid: 1 };
    checkCrash(await die(askAndEnd(stale)));
  });

  test('a worker that asks twice for the same gets one update', async () => {
    const { tag } = await host.offer({ break: 'self-check-hangs' });
    const request = { id: 'twice', command: 'run', tag };
    for (const _time of [1, 2]) {
      const said = await die(askAndEnd(request));
      assert.ok(said.includes('worker asked to be restarted'), said.join());
    }
    const { txn } = await installation.ask({ command: 'cancel' });
    const { request: done } = await installation.finished(txn ?? '');
    assert.equal(done.id, 'twice');
    assert.equal(installation.history().filter((each) => each.request.id === 'twice').length, 1);
  });

  test('a stager that is killed is started again: the update is made', async () => {
    arm('stager', 2);
    const { outcome, steps } = await host.install({}, { dryRun: true });
    assert.equal(outcome, 'dry-run');
    assert.equal(steps.filter(({ state }) => state === 'staging').length, 1);
  });

  test('a stager that is killed each time ends the update, and nothing has changed', async () => {
    const was = digestOf(installation.program.target);
    const pid = host.service.workerPid;
    arm('stager', 3);
    const { outcome, failure } = await host.install();
    assert.deepEqual([outcome, failure?.code], ['failed', 'UPDATE_STAGING_FAILED']);
    assert.match(failure?.detail ?? '', /SIGKILL/);
    assert.equal(digestOf(installation.program.target), was);
    assert.equal(host.service.workerPid, pid);
  });

  test('a worker that asks and ends with 10 gets its update, even where copying the database is killed', async () => {
    const { now } = host;
    const { tag, version } = await host.offer({
      prologue: `${PUPPET}${inRole('db-backup', 'process.exit(9)')}`,
    });
    arm('backup', 1);
    host.pull(askAndEnd({ id: 'exit-10', command: 'run', tag, trigger: 'exit-code' }));
    await host.service.logged(({ msg }) => msg === 'worker asked to be restarted', now);
    const isIts = ({ request }: UpdateHistoryEntry) => request.id === 'exit-10';
    const { txn, outcome, request } = await until('the update', UPDATE_PATIENCE_MS, () =>
      installation.history().find(isIts),
    );
    await installation.finished(txn);
    assert.deepEqual([outcome, request.trigger], ['committed', 'exit-code']);
    assert.equal(await host.service.version(), version);
    const kept = readFileSync(join(installation.paths.backupsDir, txn, 'backup.json'), 'utf8');
    assert.equal(JSON.parse(kept).kind, 'raw');
  });

  test('a committed version that crashes again and again is started again and again, and stays', async () => {
    const version = await host.service.version();
    const { length } = installation.history();
    for (const _time of [1, 2, 3, 4]) checkCrash(await die('process.exit(1)'));
    const delays = host.service.lines.flatMap(({ delayMs }) =>
      typeof delayMs === 'number' ? [delayMs] : [],
    );
    assert.ok((delays.at(-1) ?? 0) > 2 * (delays.at(-4) ?? 0), `${delays}`);
    assert.equal(await host.service.version(), version);
    assert.equal(installation.history().length, length);
    assert.equal(existsSync(installation.paths.updateRecord), false);
  });

  for (const [where, state] of [
    ['in its trial', 'trial'],
    ['under its own supervisor', 'handing-over'],
  ] as const) {
    test(`a new version that is killed once ${where} is tried again and stays`, async () => {
      const name = `once-${state}`;
      arm(name, 1);
      const prologue = inWorker(`if (${STATE_OF_RECORD} === '${state}') ${dieSoOften(name)}`);
      const { outcome, to } = await host.install({ prologue });
      assert.equal(outcome, 'committed');
      assert.equal(await host.service.version(), to?.version);
    });
  }
});
