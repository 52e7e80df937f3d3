// Needs: mount, umount
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { HealthView } from '../../app/api/health-views.ts';
import { storedDeliveries } from '../helpers/deliveries.ts';
import { PATIENCE_MS, PROGRAM_FILE, Product, TOKEN } from '../helpers/product.ts';
import { SteadyClient } from '../helpers/steady-client.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, post } from '../helpers/webhook.ts';

const NO_MANAGER = {
  XDG_RUNTIME_DIR: '/proc/none',
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
};
const BODY = makeBody('registry_package', {
  repository: 'ghcr.io/octo-org/hello',
  tag: 'latest',
  digest: `sha256:${'b'.repeat(64)}`,
});

/** The product under a steady load of deliveries, of which it has taken some. */
async function startLoaded(context: TestContext, given?: string) {
  const running = new AsyncDisposableStack();
  // Before the folder goes: where that fails nothing after it is ended, and this process never does.
  context.after(() => running.disposeAsync());
  const stateDir = given ?? makeTempFolder(context);
  const product = await Product.start({
    ...NO_MANAGER,
    PODUP_STATE_DIR: stateDir,
    PODUP_MANUAL_UNITS: 'web',
    PODUP_MIN_FREE_BYTES: '0',
  });
  running.defer(async () => void (await product.stop()));
  const client = running.use(new SteadyClient(product.address));
  const database = join(stateDir, 'data/pod-upgrade-trigger.db');
  const taken = (count: number) =>
    until('deliveries are taken', PATIENCE_MS, () => client.acknowledged.length >= count);
  await taken(20);
  const { workerPid } = product;
  return {
    ...{ product, client, database, stateDir, taken },
    /** The code under which the health of the database is told; undefined while it is well. */
    code: async () => {
      const answer = await fetch(`http://${product.address}/health`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      assert.ok([200, 503].includes(answer.status));
      const { issues } = (await answer.json()) as HealthView;
      const issue = issues.find(({ component }) => component === 'database');
      if (issue) assert.ok(issue.hint !== '' && issue.since !== '', 'the fix is told');
      return issue?.code;
    },
    /** Ends it: nothing that was acknowledged is lost, and the same worker has served all the time. */
    async settle() {
      const more = client.acknowledged.length + 5;
      await taken(more);
      await client.stop();
      assert.equal(product.workerPid, workerPid, 'no worker has ended');
      assert.equal(await product.stop(), 0);
      const stored = storedDeliveries(database);
      assert.deepEqual(
        client.acknowledged.filter((id) => !stored.has(id)),
        [],
        'every acknowledged delivery is in the database',
      );
    },
  };
}

/** Once it has been told at least. */
const becomes = (code: () => Promise<string | undefined>, wanted: string | undefined) =>
  until(`the database is ${wanted ?? 'well'}`, PATIENCE_MS, async () => (await code()) === wanted);

describe('a database that is taken away while the product runs', () => {
  test('deleted with all that lies beside it: it is written again, whole, and nobody starts anew', async (t) => {
    const { product, database, code, settle } = await startLoaded(t);
    await until('a task', PATIENCE_MS, async () => (await product.tasks()).length > 0);
    const before = (await product.tasks()).map(({ task_id }) => task_id);
    for (const side of ['', '-wal', '-shm']) rmSync(`${database}${side}`);
    await product.logged(({ msg }) => msg === 'the database is well again');
    assert.ok(existsSync(database));
    await becomes(code, undefined);
    const after = new Set((await product.tasks()).map(({ task_id }) => task_id));
    assert.ok(before.every((id) => after.has(id)));
    await settle();
  });

  test('only its log deleted: what stood there alone is kept', async (t) => {
    const { product, database, code, settle } = await startLoaded(t);
    rmSync(`${database}-wal`);
    await product.logged(({ msg }) => msg === 'the database is well again');
    await becomes(code, undefined);
    await settle();
  });

  test('replaced by a file that is none: the open one takes its place again, and the other is kept beside it', async (t) => {
    const { product, database, code, settle } = await startLoaded(t);
    writeFileSync(`${database}.other`, 'this is no database'.repeat(1_000));
    renameSync(`${database}.other`, database);
    await product.logged(({ msg }) => msg === 'the database is well again');
    await becomes(code, undefined);
    assert.ok(readdirSync(join(database, '..')).some((name) => /\.db\.replaced-\d+$/.test(name)));
    await settle();
  });
});

describe('a database that is damaged while the product runs', () => {
  for (const how of ['by hand', 'by its command'] as const)
    test(`is let go and told with its fix; a backup put there ${how} is taken without a restart`, async (t) => {
      const { product, client, database, stateDir, code, taken, settle } = await startLoaded(t);
      const environment = { ...process.env, ...NO_MANAGER, PODUP_STATE_DIR: stateDir };
      execFileSync(process.execPath, [PROGRAM_FILE, 'backup', 'create'], { env: environment });
      damage(database);
      await becomes(code, 'DATABASE_DAMAGED');
      const refused = await fetch(`http://${product.address}/api/tasks`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '10']);
      assert.equal(((await refused.json()) as { code: string }).code, 'DATABASE_DAMAGED');
      await taken(client.acknowledged.length + 10);
      const folder = join(stateDir, 'data/backups/database');
      const [backup = ''] = readdirSync(folder).filter((name) => name.endsWith('.db'));
      if (how === 'by its command') {
        execFileSync(process.execPath, [PROGRAM_FILE, 'backup', 'restore', backup], {
          env: environment,
        });
      } else {
        copyFileSync(join(folder, backup), `${database}.good`);
        renameSync(`${database}.good`, database);
      }
      await becomes(code, undefined);
      await settle();
    });
});

describe('a database that cannot be written', () => {
  test('a full disk: deliveries are refused with the reason or kept, and all goes on when there is room', async (t) => {
    const stateDir = mountSmall(t);
    if (stateDir === undefined) return t.skip('a file system cannot be mounted here');
    const { product, code, settle } = await startLoaded(t, stateDir);
    const filler = join(stateDir, 'filler');
    fill(filler);
    await becomes(code, 'DATABASE_DISK_FULL');
    const url = `http://${product.address}/github-package-update/web`;
    await until('a refusal', PATIENCE_MS, async () => {
      const answer = await fetch(url, {
        method: 'POST',
        body: BODY,
        headers: makeHeaders('registry_package', BODY),
      });
      const { code: refusal } = (await answer.json()) as { code?: string };
      if (answer.status === 202) return false;
      assert.deepEqual([answer.status, refusal], [507, 'SPOOL_DISK_FULL']);
      assert.equal(answer.headers.get('retry-after'), '10');
      return true;
    });
    rmSync(filler);
    await becomes(code, undefined);
    const again = await post(url, BODY, makeHeaders('registry_package', BODY));
    assert.equal(again.status, 202);
    await settle();
  });
});

describe('a database that is mounted over by what cannot be written', () => {
  test('is told as read-only, and as well when that is gone; deliveries are accepted all the time', async (t) => {
    const { database, code, client, taken, settle } = await startLoaded(t);
    const folder = join(database, '..');
    if (!mountReadOnly(folder)) return t.skip('a file system cannot be mounted here');
    try {
      await becomes(code, 'DATABASE_READ_ONLY');
      await taken(client.acknowledged.length + 10);
    } finally {
      // Lazily, for somebody may have it open at this moment.
      spawnSync('umount', ['--lazy', folder]);
    }
    await becomes(code, undefined);
    await settle();
  });
});

describe('a database that is ill already when the product starts', () => {
  test('a damaged one: it serves, says why, accepts deliveries, and goes on when it is gone', async (t) => {
    const stateDir = makeTempFolder(t);
    mkdirSync(join(stateDir, 'data'));
    const file = join(stateDir, 'data/pod-upgrade-trigger.db');
    writeFileSync(file, 'this is no database'.repeat(1_000));
    const { code, settle } = await startLoaded(t, stateDir);
    await becomes(code, 'DATABASE_DAMAGED');
    rmSync(file);
    await becomes(code, undefined);
    await settle();
  });
});

function damage(file: string): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.alloc(64 * 1024, 0xa5), 0, 64 * 1024, 0);
  closeSync(descriptor);
}

/** A file system of its own that is soon full; undefined where this process may not mount one. */
function mountSmall(context: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'podup-small-'));
  context.after(() => {
    // Lazily, for whoever failed may still have it open.
    spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return folder;
}

/** Takes all the room that there is, to the last block. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(4_096));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(descriptor);
  }
}

/** Shows a folder to whoever opens something in it as on a file system that is read only. */
function mountReadOnly(folder: string): boolean {
  const mounted = spawnSync('mount', ['--bind', folder, folder]);
  if (mounted.status !== 0) return false;
  return spawnSync('mount', ['-o', 'remount,bind,ro', folder]).status === 0;
}
