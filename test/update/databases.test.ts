import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { startClients } from '../helpers/clients.ts';
import type { Installation } from '../helpers/installation.ts';
import { NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import {
  checkRecorded,
  Host,
  KEEP_OPEN,
  type Offer,
  onReady,
  readSchema,
} from './fault-fixture.ts';

const OLD_SCHEMA = NEXT_MIGRATION - 1;
const FORBIDDING = `migration:${NEXT_MIGRATION}:must-not-run` as const;
const ALLOWING = `migration:${NEXT_MIGRATION}:may-run` as const;

describe('the database of an update that goes back', () => {
  let host: Host;
  let installation: Installation;
  before(async () => {
    host = await Host.start();
    installation = host.installation;
  });
  after(() => host[Symbol.asyncDispose]());

  test('is put back where the old version could not run on it; what came in meanwhile is in it, each once', async () => {
    const { end, acknowledged } = await tryWithClients(host, {
      break: [FORBIDDING, 'killed-after-ms:250'],
    });
    assert.deepEqual([end.outcome, end.failure?.code], ['rolled-back', 'UPDATE_START_FAILED']);
    assert.equal(end.databaseRestored, true);
    assert.equal(readSchema(installation), OLD_SCHEMA);
    await checkRecorded(installation, acknowledged);
  });

  test('is not touched while a process of somebody else has it open, which is named; then resume ends it', async () => {
    const stranger = await openDatabase(installation);
    try {
      const { now } = host;
      const { tag } = await host.offer({
        break: FORBIDDING,
        prologue: onReady('process.exit(78);'),
      });
      const { txn } = await installation.ask({ command: 'run', tag, force: true });
      await host.reached('held', now);
      const { warnings, failure } = host.record();
      assert.equal(failure?.code, 'UPDATE_CONFIG_REJECTED');
      assert.match(
        warnings.at(-1) ?? '',
        new RegExp(`^UPDATE_RESTORE_FAILED.*process ${stranger.pid} `),
      );
      assert.equal(readSchema(installation), NEXT_MIGRATION);
      stranger.kill('SIGKILL');
      await once(stranger, 'exit');
      await installation.ask({ command: 'resume' });
      const { outcome, databaseRestored } = await installation.finished(txn ?? '');
      assert.deepEqual([outcome, databaseRestored], ['rolled-back', true]);
      assert.equal(readSchema(installation), OLD_SCHEMA);
      assert.equal(await host.service.version(), '1.0.0');
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('stays as it is where the old version may run on it, with all that came in meanwhile', async () => {
    const { end, acknowledged } = await tryWithClients(host, {
      break: [ALLOWING, 'crash-after-ms:200'],
    });
    assert.deepEqual([end.failure?.code, end.databaseRestored], ['UPDATE_START_FAILED', false]);
    assert.equal(readSchema(installation), NEXT_MIGRATION);
    await checkRecorded(installation, acknowledged);
  });
});

/** Tries a bad release while clients post; what was accepted meanwhile. */
async function tryWithClients(host: Host, offer: Offer) {
  const clients = startClients(host.service, 4);
  const end = await host.install(offer).finally(() => clients.stop());
  const { acknowledged } = clients.tally;
  assert.ok(acknowledged.length > 20, `${acknowledged.length} deliveries`);
  return { end, acknowledged };
}

async function openDatabase({ environment }: Installation): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', KEEP_OPEN, 'stranger'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}
