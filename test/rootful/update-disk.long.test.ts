import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseUpdateStatus } from '../../shared/contract/update-status.ts';
import { Installation, type Service, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import type { Release } from '../helpers/release.ts';
import { until } from '../helpers/until.ts';
import { digestOf, quarantined } from '../helpers/update-checks.ts';

/** What a full disk may be reported as, by where it is noticed. */
const FULL = new Set(['UPDATE_DISK_FULL', 'UPDATE_RECORD_UNWRITABLE', 'UPDATE_BACKUP_FAILED']);

/** What a supervisor says that waits for the disk. */
const STUCK = /cannot be written|cleaning up failed/;

/** The disk of the program becomes read-only while the database is copied, where a test wants that. */
const MAKES_READ_ONLY = `if (role === 'db-backup' && require('node:fs').existsSync(process.env.HOME + '/make-read-only')) {
  require('node:child_process').execFileSync('mount', ['-o', 'remount,ro', process.env.HOME + '/bin']);
}`;

const command = (file: string, ...args: string[]) => execFileSync(file, args, { stdio: 'inherit' });
const mount = (folder: string, size: string) => {
  command('mkdir', '-p', folder);
  command('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder);
};

describe('an update on file systems that are small', () => {
  let installation: Installation;
  let service: Service;
  let bin: string;
  let releases = 0;
  before(async () => {
    installation = await Installation.make({
      first: { prologue: MAKES_READ_ONLY },
      environment: { NODE_V8_COVERAGE: '' },
    });
    bin = join(installation.folder, 'bin');
    const first = join(installation.folder, 'first');
    copyFileSync(installation.program.target, first);
    mount(bin, '64m');
    command('cp', '-p', first, installation.program.target);
    mount(installation.paths.stateDir, '64m');
    service = installation.start();
    await service.ready();
  });
  after(async () => {
    await installation[Symbol.asyncDispose]().catch(() => undefined);
    command('umount', bin, installation.paths.stateDir);
  });

  const offer = () => {
    releases++;
    return installation.offer({
      version: `1.${releases}.0`,
      generation: releases + 1,
      prologue: MAKES_READ_ONLY,
    });
  };

  /** Leaves so much room, for as long as `act` takes. */
  const withRoom = async <T>(folder: string, bytes: number, act: () => Promise<T>): Promise<T> => {
    const filler = join(folder, 'filler');
    fill(filler);
    truncateSync(filler, Math.max(statSync(filler).size - bytes, 0));
    try {
      return await act();
    } finally {
      rmSync(filler);
    }
  };

  /** Asks over the API, which needs no file; the update, or why there is none. */
  const ask = async () => {
    const { status, body } = await service.api('/api/self-update/run', {
      method: 'POST',
      body: '{}',
    });
    const { txn, code } = body as { txn?: string; code?: string };
    return { status, txn: txn ?? '', code };
  };

  /** Once there is room again all comes to an end by itself: exactly the old version, or exactly the new one. */
  const checkEnd = async (release: Release, was: { digest: string; version: unknown }) => {
    // One that the disk refused from the first has no record, but is open all the same.
    await until('the end of the update', UPDATE_PATIENCE_MS, async () => {
      const { status } = await installation.ask({ command: 'status' });
      return parseUpdateStatus(status)?.update === null;
    });
    const last = installation.history().find(({ to }) => to?.digest === release.digest);
    const isNew = last?.outcome === 'committed';
    if (last && !isNew) assert.ok(FULL.has(last.failure?.code ?? ''), JSON.stringify(last.failure));
    const version = isNew ? release.version : was.version;
    await until(
      'it serves',
      UPDATE_PATIENCE_MS,
      async () => (await service.version().catch(() => undefined)) === version,
    );
    assert.equal(digestOf(installation.program.target), isNew ? release.digest : was.digest);
    assert.deepEqual(quarantined(installation), [], 'no program is to blame for a disk');
    assert.deepEqual(
      readdirSync(bin).filter((name) => /tries|new$/.test(name)),
      [],
    );
    return last?.outcome;
  };
  const lookAt = async () => ({
    digest: digestOf(installation.program.target),
    version: await service.version(),
  });

  for (const kilobytes of [0, 16, 64, 1024, 16384]) {
    test(`${kilobytes} KiB are left for the state: it ends as old or as new`, async (t) => {
      const was = await lookAt();
      const release = await offer();
      const { length } = service.lines;
      await withRoom(installation.paths.stateDir, kilobytes * 1024, async () => {
        const { txn } = await ask();
        if (txn === '') return;
        await until(
          'the end, or a refusal',
          UPDATE_PATIENCE_MS,
          () =>
            !isOpen(installation) || service.lines.slice(length).some(({ msg }) => STUCK.test(msg)),
        );
      });
      t.diagnostic(`${await checkEnd(release, was)}`);
    });
  }

  test('there is less room for the program than it needs: it is not even fetched', async () => {
    const was = await lookAt();
    const release = await offer();
    await withRoom(bin, release.bytes, async () => {
      const { failure, outcome } = await installation.update();
      assert.deepEqual([outcome, failure?.code], ['failed', 'UPDATE_DISK_FULL']);
      assert.match(failure?.detail ?? '', /bytes are free/);
    });
    assert.deepEqual(await lookAt(), was);
    assert.deepEqual(
      readdirSync(bin).filter((name) => name.includes('partial')),
      [],
    );
  });

  test('the program lies on a disk that is read-only: nothing is begun, and the reason is said', async () => {
    const was = await lookAt();
    command('mount', '-o', 'remount,ro', bin);
    const { failure, outcome } = await installation
      .update()
      .finally(() => command('mount', '-o', 'remount,rw', bin));
    assert.deepEqual([outcome, failure?.code], ['failed', 'UPDATE_UNAVAILABLE']);
    assert.match(failure?.detail ?? '', /EROFS/);
    assert.deepEqual(await lookAt(), was);
  });

  test('the disk becomes read-only before the exchange: the old version stays, and serves', async () => {
    const was = await lookAt();
    const release = await offer();
    const flag = join(installation.folder, 'make-read-only');
    writeFileSync(flag, '');
    const { length } = service.lines;
    const { txn } = await ask();
    // What was staged cannot be removed yet; the old version serves all the same.
    await service.logged(({ msg }) => STUCK.test(msg), length);
    assert.deepEqual(await lookAt(), was);
    rmSync(flag);
    command('mount', '-o', 'remount,rw', bin);
    const { failure, outcome } = await installation.finished(txn);
    assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_SWAP_FAILED']);
    assert.match(failure?.detail ?? '', /EROFS/);
    assert.deepEqual(await lookAt(), was);
    assert.deepEqual(quarantined(installation), []);
    const again = await installation.update();
    assert.deepEqual([again.outcome, again.to?.version], ['committed', release.version]);
  });
});

/** Makes a file of all the room that there is. */
function fill(path: string): void {
  const part = Buffer.alloc(4096);
  try {
    for (;;) appendFileSync(path, part);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function isOpen({ paths }: Installation): boolean {
  return existsSync(paths.updateRecord);
}
