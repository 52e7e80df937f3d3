import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Installation } from '../helpers/installation.ts';
import { hasEnded } from '../helpers/processes.ts';
import { NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import { digestOf, quarantined } from '../helpers/update-checks.ts';
import {
  checkRecorded,
  deliver,
  Host,
  inRole,
  inWorker,
  KEEP_OPEN,
  onReady,
  readContent,
  readSchema,
} from './fault-fixture.ts';

const OLD_SCHEMA = NEXT_MIGRATION - 1;
const FORBIDDING = `migration:${NEXT_MIGRATION}:must-not-run` as const;
/** Fails where there are deliveries: on a host, but not in the self-check. */
const FAILS_HERE =
  `migration:${NEXT_MIGRATION + 1}:may-run:CREATE TEMP TABLE a AS SELECT CASE WHEN EXISTS (SELECT 1 FROM deliveries) THEN abs(-9223372036854775808) END` as const;

/** Changes one byte of what was staged and verified, while the database is copied. */
const FLIP_STAGED = inRole(
  'db-backup',
  `{
  const fs = require('node:fs');
  const file = process.env.PODUP_TARGET_BIN + '.new';
  if (fs.existsSync(process.env.HOME + '/flip')) {
    const bytes = fs.readFileSync(file);
    bytes[bytes.length >> 1] ^= 1;
    fs.writeFileSync(file, bytes);
  }
}`,
);

describe('the database of an update that goes back', () => {
  let host: Host;
  let installation: Installation;
  before(async () => {
    host = await Host.start({ first: { prologue: FLIP_STAGED } });
    installation = host.installation;
  });
  after(() => host[Symbol.asyncDispose]());

  test('is put back after the second of two migrations has failed', async () => {
    await checkRecorded(installation, [(await deliver(host.service.address)).delivery]);
    const was = readContent(installation);
    const { outcome, databaseRestored } = await host.install({ break: [FORBIDDING, FAILS_HERE] });
    assert.deepEqual([outcome, databaseRestored], ['rolled-back', true]);
    assert.deepEqual(readContent(installation), was);
  });

  test('is as it was after each try was killed in the middle of a migration', async () => {
    const was = readContent(installation);
    const { now } = host;
    const { outcome, failure } = await host.install({
      break: 'slow-migration:20000',
      prologue: inWorker(`setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1000);`),
    });
    assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_START_FAILED']);
    assert.match(failure?.detail ?? '', /SIGKILL/);
    const starts = host.service.lines.slice(now).filter(({ msg }) => msg === 'worker started');
    assert.equal(starts.length, 4);
    assert.deepEqual(readContent(installation), was);
  });

  test('is put back although a process that the new version has left behind has it open', async () => {
    const { now } = host;
    const { outcome, databaseRestored } = await host.install({
      break: FORBIDDING,
      prologue: onReady(`
        const words = ['-e', ${JSON.stringify(KEEP_OPEN)}, process.env.PODUP_TARGET_BIN];
        const child = require('node:child_process').spawn(process.execPath, words, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
        child.stdout.once('data', () => {
          console.log(JSON.stringify({ msg: 'left behind', pid: child.pid }));
          process.exit(78);
        });
        return true;`),
    });
    assert.deepEqual([outcome, databaseRestored], ['rolled-back', true]);
    const { pid } = await host.service.logged(({ msg }) => msg === 'left behind', now);
    assert.ok(hasEnded(Number(pid)), 'it was ended');
    assert.equal(readSchema(installation), OLD_SCHEMA);
  });

  test('is not touched where the staged program was changed after it was verified: nothing is exchanged', async () => {
    const flip = join(installation.folder, 'flip');
    const was = [digestOf(installation.program.target), readContent(installation)];
    writeFileSync(flip, '');
    const { outcome, failure, to } = await host.install({ break: FORBIDDING });
    rmSync(flip);
    assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_SWAP_FAILED']);
    assert.deepEqual([digestOf(installation.program.target), readContent(installation)], was);
    assert.equal(quarantined(installation).includes(to?.digest ?? ''), false, 'it is not to blame');
    assert.equal(await host.service.version(), '1.0.0');
  });
});
