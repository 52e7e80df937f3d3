import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parseQuarantine } from '../../shared/contract/update-history.ts';
import type { Installation } from '../helpers/installation.ts';
import type { Release } from '../helpers/release.ts';
import { Host } from './fault-fixture.ts';

describe('a release that failed here', () => {
  let host: Host;
  let installation: Installation;
  let bad: Release;
  before(async () => {
    host = await Host.start();
    installation = host.installation;
    bad = await host.offer({ break: 'exit-78' });
    assert.equal((await installation.update()).outcome, 'rolled-back');
  });
  after(() => host[Symbol.asyncDispose]());

  const run = async (request = {}) => {
    const { outcome, failure, to } = await installation.update(request);
    return { outcome, code: failure?.code, detail: failure?.detail ?? '', version: to?.version };
  };
  const entries = () =>
    parseQuarantine(readFileSync(installation.paths.quarantine, 'utf8'))?.entries ?? [];

  test('is not taken again, whether it is asked for by its tag or not', async () => {
    const pid = host.service.workerPid;
    for (const request of [{}, { tag: bad.tag }, { trigger: 'cron' }] as const) {
      const { outcome, code, detail } = await run(request);
      assert.deepEqual([outcome, code], ['failed', 'RELEASE_QUARANTINED']);
      assert.match(detail, /v1\.1\.0/);
    }
    assert.equal(host.service.workerPid, pid);
  });

  test('is taken on purpose: tried anew, and counted anew', async () => {
    const { outcome, code } = await run({ force: true });
    assert.deepEqual([outcome, code], ['rolled-back', 'UPDATE_CONFIG_REJECTED']);
    assert.deepEqual(
      entries().map(({ digest, count }) => [digest, count]),
      [[bad.digest, 2]],
    );
  });

  test('is another one under the same tag when its program is another: that is tried, and held against it alone', async () => {
    const again = await host.offer({ version: bad.version, break: 'exit-78', commit: 'again' });
    assert.notEqual(again.digest, bad.digest);
    const { outcome } = await run();
    assert.equal(outcome, 'rolled-back');
    assert.deepEqual(
      entries().map(({ digest }) => digest),
      [bad.digest, again.digest],
    );
  });

  test('and then a different one: no update begins by itself any more, and the reason is said', async () => {
    for (const trigger of ['cron', 'api', 'file'] as const) {
      const { failure } = await installation.ask({ command: 'run', trigger });
      assert.equal(failure?.code, 'UPDATE_ON_HOLD');
      assert.match(failure?.detail ?? '', /2 different releases in a row/);
    }
    assert.equal(await host.service.version(), '1.0.0');
  });

  test('keeps nobody from the next release, once a person has said resume', async () => {
    assert.equal((await installation.ask({ command: 'resume' })).failure, null);
    const next = await host.offer({ version: '1.2.0' });
    const { outcome, version } = await run();
    assert.deepEqual([outcome, version], ['committed', next.version]);
  });

  test('is passed over when it is not the newest', async () => {
    await host.offer({ version: '1.3.0', break: 'exit-78' });
    assert.equal((await run()).outcome, 'rolled-back');
    const { code } = await run();
    assert.equal(code, 'RELEASE_QUARANTINED', 'there is nothing else that is newer than what runs');
    assert.equal(await host.service.version(), '1.2.0');
  });

  test('a running version that is offered with another program is an alarm, and is not installed', async () => {
    await host.offer({ version: '1.2.0', commit: 'replaced' });
    const { outcome, code } = await run({ tag: 'v1.2.0' });
    assert.deepEqual([outcome, code], ['failed', 'RELEASE_MISMATCH']);
  });
});
