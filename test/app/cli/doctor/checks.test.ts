import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import {
  checkCgroups,
  checkInit,
  checkRuntimeDirectory,
  checkSubordinateIds,
} from '../../../../app/cli/doctor/check-host.ts';
import {
  checkAddress,
  checkDatabase,
  checkFileSystem,
  checkStateDirectory,
  judgeFileSystem,
} from '../../../../app/cli/doctor/check-state.ts';
import type { Outcome } from '../../../../shared/contract/outcome.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';

const codeOf = (outcome: Outcome<unknown>) => (outcome.ok ? 'well' : outcome.failure.code);

/** A host whose files are these. */
function makeRoot(context: TestContext, files: Readonly<Record<string, string>>) {
  const root = makeTempFolder(context);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return { root, uid: 1000, name: 'podup' };
}

describe('the host', () => {
  test('of subordinate ids there must be some in both files, by name or number', (t) => {
    const line = 'podup:100000:65536\n';
    const both = makeRoot(t, { 'etc/subuid': line, 'etc/subgid': '1000:100000:65536\n' });
    assert.equal(codeOf(checkSubordinateIds(both)), 'well');
    const one = makeRoot(t, { 'etc/subuid': line, 'etc/subgid': 'podup2:1:1\n' });
    assert.equal(codeOf(checkSubordinateIds(one)), 'SUBORDINATE_IDS_MISSING');
    assert.equal(codeOf(checkSubordinateIds(makeRoot(t, {}))), 'SUBORDINATE_IDS_MISSING');
  });

  test('the unified hierarchy of control groups is known by its file', (t) => {
    const file = { 'sys/fs/cgroup/cgroup.controllers': 'cpu memory\n' };
    assert.equal(codeOf(checkCgroups(makeRoot(t, file))), 'well');
    assert.equal(codeOf(checkCgroups(makeRoot(t, {}))), 'CGROUPS_OUTDATED');
  });

  for (const [words, code] of [
    [['/sbin/init'], 'well'],
    [['catatonit', '--', '/usr/bin/pod-upgrade-trigger', 'supervise'], 'well'],
    [['/usr/bin/pod-upgrade-trigger', 'supervise'], 'INIT_MISSING'],
    [['node', '/app/dist/pod-upgrade-trigger.mjs', 'supervise'], 'INIT_MISSING'],
    [['/usr/bin/pod-upgrade-trigger', 'doctor'], 'well'],
  ] as const) {
    test(`process 1 that is ${words.join(' ')} is ${code}`, (t) => {
      const root = makeRoot(t, { 'proc/1/cmdline': `${words.join('\0')}\0` });
      assert.equal(codeOf(checkInit(root)), code);
    });
  }

  test('the runtime directory is set and there, or missing', (t) => {
    const folder = makeTempFolder(t);
    assert.equal(codeOf(checkRuntimeDirectory({ XDG_RUNTIME_DIR: folder })), 'well');
    assert.equal(codeOf(checkRuntimeDirectory({})), 'RUNTIME_DIR_MISSING');
    const none = { XDG_RUNTIME_DIR: join(folder, 'none') };
    assert.equal(codeOf(checkRuntimeDirectory(none)), 'RUNTIME_DIR_MISSING');
  });
});

describe('the state', () => {
  test('a directory that is missing is well where it can be made', (t) => {
    const folder = makeTempFolder(t);
    const paths = (stateDir: string) => ({
      ...{ stateDir, dataDir: join(stateDir, 'data'), intakeDir: join(stateDir, 'intake') },
    });
    assert.equal(codeOf(checkStateDirectory(paths(join(folder, 'a/b')))), 'well');
    writeFileSync(join(folder, 'file'), '');
    const inFile = checkStateDirectory(paths(join(folder, 'file/a')));
    assert.equal(codeOf(inFile), 'STATE_DIR_UNUSABLE');
    if (process.getuid?.() === 0) return;
    chmodSync(folder, 0o500);
    assert.equal(codeOf(checkStateDirectory(paths(join(folder, 'a')))), 'STATE_DIR_UNUSABLE');
  });

  test('file systems of other machines are named, also by a negative number', () => {
    assert.deepEqual(judgeFileSystem('/srv', 0x6969), {
      ok: false,
      failure: { code: 'STATE_ON_NETWORK', detail: '/srv: NFS.' },
    });
    assert.equal(codeOf(judgeFileSystem('/srv', 0xff534d42 | 0)), 'STATE_ON_NETWORK');
    assert.equal(codeOf(checkFileSystem('/proc')), 'well');
  });

  test('a damaged database is told with the newest backup, a missing one is well', (t) => {
    const folder = makeTempFolder(t);
    const file = join(folder, 'x.db');
    assert.equal(codeOf(checkDatabase(file, folder)), 'well');
    writeFileSync(file, 'this is no database'.repeat(1_000));
    const name = 'podup-20300131T120000000Z.db';
    writeFileSync(join(folder, name), '');
    const sha256 = 'a'.repeat(64);
    const about = { created_at: '2030-01-31T12:00:00.000Z', version: '1', schema: 1, bytes: 0 };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...about, sha256 }));
    const checked = checkDatabase(file, folder);
    assert.equal(codeOf(checked), 'DATABASE_DAMAGED');
    assert.match(checked.ok ? '' : checked.failure.detail, new RegExp(`newest backup is ${name}`));
  });

  test('an address that is taken is told, one that is free is free afterwards', async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const taken = await checkAddress({ host: '127.0.0.1', port });
    assert.equal(codeOf(taken), 'SOCKET_UNAVAILABLE');
    await new Promise((resolve) => server.close(resolve));
    for (let look = 0; look < 2; look++) {
      assert.equal(codeOf(await checkAddress({ host: '127.0.0.1', port })), 'well');
    }
  });
});
