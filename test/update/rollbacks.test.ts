import assert from 'node:assert/strict';
import { globSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import type { Installation } from '../helpers/installation.ts';
import { NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import { checkLeftovers, digestOf } from '../helpers/update-checks.ts';
import { checkRecorded, deliver, Host, readContent } from './fault-fixture.ts';

const ALLOWING = `migration:${NEXT_MIGRATION}:may-run` as const;
const FORBIDDING = `migration:${NEXT_MIGRATION + 1}:must-not-run` as const;

describe('going back on purpose', () => {
  let host: Host;
  let installation: Installation;
  /** Of the database, when the first version ran for the last time. */
  let ofFirst: unknown;
  before(async () => {
    host = await Host.start();
    installation = host.installation;
  });
  after(() => host[Symbol.asyncDispose]());

  const rollBack = async (version: string, restoreDatabase = false) => {
    const answer = await installation.ask({ command: 'rollback', version, restoreDatabase });
    assert.equal(answer.failure, null);
    return installation.finished(answer.txn ?? '');
  };

  test('to a version that is not kept is refused', async () => {
    const { failure } = await installation.ask({ command: 'rollback', version: '0.5.0' });
    assert.equal(failure?.code, 'UPDATE_VERSION_UNKNOWN');
  });

  test('to a version that can run on the database loses nothing', async () => {
    const first = digestOf(installation.program.target);
    assert.equal((await host.install({ break: ALLOWING })).outcome, 'committed');
    const { delivery } = await deliver(host.service.address);
    await checkRecorded(installation, [delivery]);
    const was = readContent(installation);
    const { outcome, kind, databaseRestored } = await rollBack('1.0.0');
    assert.deepEqual([outcome, kind, databaseRestored], ['committed', 'rollback', false]);
    assert.equal(await host.service.version(), '1.0.0');
    assert.equal(digestOf(installation.program.target), first);
    assert.deepEqual(readContent(installation), was);
    ofFirst = { schema: was.schema, migrations: was.migrations };
  });

  test('keeps the next update from taking it forward again, until a person says so', async () => {
    const refused = await installation.ask({ command: 'run', trigger: 'cron' });
    assert.equal(refused.failure?.code, 'UPDATE_ON_HOLD');
    assert.match(refused.failure?.detail ?? '', /1\.0\.0 was gone back to on purpose/);
    assert.equal((await installation.ask({ command: 'resume' })).failure, null);
  });

  test('to the version that runs is no update', async () => {
    const { outcome } = await rollBack('1.0.0');
    assert.equal(outcome, 'current');
  });

  test('to a version that cannot run on the database is refused before anything is touched', async () => {
    const { outcome, to } = await host.install({ break: [ALLOWING, FORBIDDING] });
    assert.equal(outcome, 'committed');
    const was = readContent(installation);
    const pid = host.service.workerPid;
    const refused = await rollBack('1.0.0');
    assert.deepEqual(
      [refused.outcome, refused.failure?.code],
      ['failed', 'UPDATE_ROLLBACK_NEEDS_DATABASE'],
    );
    assert.equal(host.service.workerPid, pid, 'the worker has never stopped');
    assert.equal(await host.service.version(), to?.version);
    assert.deepEqual(readContent(installation), was);
  });

  test('to a version whose kept program is damaged fails before anything is touched', async () => {
    const [kept = assert.fail()] = globSync(`${installation.paths.backupsDir}/*/program`)
      .toSorted()
      .toReversed();
    const version = await host.service.version();
    renameSync(kept, `${kept}.aside`);
    writeFileSync(kept, '#!/bin/sh\n', { mode: 0o755 });
    const { outcome, failure } = await rollBack('1.0.0', true);
    renameSync(`${kept}.aside`, kept);
    assert.deepEqual([outcome, failure?.code], ['failed', 'RELEASE_MISMATCH']);
    assert.equal(await host.service.version(), version);
    checkLeftovers(installation);
  });

  test('with its own database gives up what was written since, but no delivery that is still in the spool', async () => {
    const { delivery } = await deliver(host.service.address);
    await checkRecorded(installation, [delivery]);
    const database = new SqliteDatabase(installation.paths.database);
    database.exec('CREATE TABLE written_since (x INTEGER) STRICT');
    database.close();
    const { outcome, failure } = await rollBack('1.0.0', true);
    assert.deepEqual([outcome, failure], ['committed', null]);
    assert.equal(await host.service.version(), '1.0.0');
    await checkRecorded(installation, [delivery]);
    const { schema, migrations } = readContent(installation);
    assert.deepEqual({ schema, migrations }, ofFirst);
  });
});
