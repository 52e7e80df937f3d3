import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { listSegments, readSegment } from '../../../app/intake/segments.ts';
import type { SpoolEntry } from '../../../app/intake/spool-format.ts';
import { SpoolWriter } from '../../../app/intake/spool-writer.ts';
import { spoolEntry } from '../../helpers/spool.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const APPEND = join(import.meta.dirname, '../../fixtures/append-to-spool.ts');
const OK = { ok: true, value: undefined };
const MIB = 1024 * 1024;

function openWriter(context: TestContext, folder = makeTempFolder(context)) {
  const batches: (readonly SpoolEntry[])[] = [];
  const finished: string[] = [];
  const writer = new SpoolWriter(folder, {
    onDurable: (entries) => batches.push(entries),
    onFinished: (segment) => finished.push(segment),
  });
  context.after(() => writer.close());
  return { folder, writer, batches, finished };
}

function entriesOf(count: number, from = 0) {
  return Array.from({ length: count }, (_, index) => spoolEntry({ id: `dlv_${from + index}` }));
}

function storedIds(folder: string): string[] {
  return listSegments(folder).flatMap((name) =>
    readSegment(folder, name, 0).entries.map(({ record }) => record.id),
  );
}

/** What every open file has its acts from, so that one of them can be made to fail. */
async function fileActs(folder: string) {
  const file = await open(join(folder, 'probe'), 'w');
  await file.close();
  return Object.getPrototypeOf(file) as typeof file;
}

function systemError(code: string) {
  return Promise.reject(Object.assign(new Error(code), { code }));
}

describe('appending', () => {
  test('stores all entries in the order in which they came, for this user only', async (t) => {
    const { folder, writer, batches } = openWriter(t);
    const entries = entriesOf(300);
    const outcomes = await Promise.all(entries.map((entry) => writer.append(entry)));
    assert.ok(outcomes.every(({ ok }) => ok));
    const [name = '', ...others] = listSegments(folder);
    assert.deepEqual(others, []);
    assert.deepEqual(readSegment(folder, name, 0).entries, entries);
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
    assert.deepEqual(batches.flat(), entries);
  });

  test('commits what arrives together with one sync', async (t) => {
    const { writer, batches } = openWriter(t);
    const datasync = t.mock.method(await fileActs(makeTempFolder(t)), 'datasync');
    await Promise.all(entriesOf(100).map((entry) => writer.append(entry)));
    assert.equal(datasync.mock.callCount(), 1);
    assert.equal(batches.length, 1);
  });

  test('what arrives while the disk is busy shares the next sync', async (t) => {
    const { writer, batches } = openWriter(t);
    const first = writer.append(spoolEntry());
    await new Promise(setImmediate);
    const rest = entriesOf(50, 1).map((entry) => writer.append(entry));
    await Promise.all([first, ...rest]);
    assert.deepEqual(
      batches.map((entries) => entries.length),
      [1, 50],
    );
  });

  test('says of each batch what it made durable, in order', async (t) => {
    const { writer, batches } = openWriter(t);
    const entries = entriesOf(3);
    for (const entry of entries) await writer.append(entry);
    assert.deepEqual(batches.flat(), entries);
  });

  test('acknowledges nothing before its sync has ended', (t) => {
    const folder = makeTempFolder(t);
    const log = join(folder, 'calls');
    const trace = ['-f', '-e', 'trace=write,pwrite64,pwritev,fdatasync,fsync', '-o', log];
    const traced = spawnSync('strace', [...trace, process.execPath, APPEND, folder, '20', '10']);
    assert.equal(traced.status, 0, `${traced.error ?? traced.stderr}`);
    let isDirty = true;
    let acknowledged = 0;
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      if (line.includes('PUS1')) isDirty = true;
      else if (/fdatasync.* = 0$/.test(line)) isDirty = false;
      else if (line.includes('write(1, "acknowledged')) {
        assert.ok(!isDirty, `not synced: acknowledgement ${acknowledged}`);
        acknowledged++;
        isDirty = true;
      }
    }
    assert.equal(acknowledged, 20);
  });
});

describe('a segment', () => {
  test('is closed beyond 64 MiB and followed by the next one, and too much at once is refused', async (t) => {
    const { folder, writer, batches, finished } = openWriter(t);
    const big = Buffer.alloc(25 * MIB);
    const outcomes = await Promise.all(
      ['dlv_0', 'dlv_1', 'dlv_2', 'dlv_3'].map((id) => writer.append(spoolEntry({ id }, big))),
    );
    assert.deepEqual(outcomes.slice(0, 3), [OK, OK, OK]);
    const refusal = outcomes[3];
    assert.ok(refusal && !refusal.ok);
    assert.equal(refusal.failure.code, 'SPOOL_BACKLOG_FULL');
    assert.deepEqual(await writer.append(spoolEntry({ id: 'dlv_4' })), OK);
    assert.deepEqual(await writer.append(spoolEntry({ id: 'dlv_5' })), OK);
    assert.deepEqual(finished, [listSegments(folder)[0]]);
    assert.equal(listSegments(folder).length, 2);
    assert.equal(batches.length, 3);
    assert.deepEqual(storedIds(folder).sort(), ['dlv_0', 'dlv_1', 'dlv_2', 'dlv_4', 'dlv_5']);
  });

  test('is let go when the writer is closed, and a closed writer can begin another', async (t) => {
    const { folder, writer, finished } = openWriter(t);
    const pending = writer.append(spoolEntry({ id: 'dlv_1' }));
    await writer.close();
    assert.deepEqual(await pending, OK);
    assert.deepEqual(finished, listSegments(folder));
    assert.deepEqual(await writer.append(spoolEntry({ id: 'dlv_2' })), OK);
    assert.equal(listSegments(folder).length, 2);
  });
});

describe('a disk that fails', () => {
  for (const [act, code, failure] of [
    ['datasync', 'EIO', 'SPOOL_UNAVAILABLE'],
    ['datasync', 'EDQUOT', 'SPOOL_DISK_FULL'],
    ['write', 'ENOSPC', 'SPOOL_DISK_FULL'],
  ] as const)
    test(`in ${act} with ${code} refuses the whole group: ${failure}`, async (t) => {
      const { folder, writer, batches, finished } = openWriter(t);
      await writer.append(spoolEntry({ id: 'dlv_before' }));
      const [given] = listSegments(folder);
      const acts = await fileActs(makeTempFolder(t));
      t.mock.method(acts, act, () => systemError(code), { times: 1 });
      const refused = await Promise.all(entriesOf(5).map((entry) => writer.append(entry)));
      for (const outcome of refused)
        assert.deepEqual(outcome, {
          ok: false,
          failure: { code: failure, detail: `The system said ${code}.` },
        });
      assert.deepEqual(await writer.append(spoolEntry({ id: 'dlv_after' })), OK);
      assert.deepEqual(finished, [given], 'a segment is not trusted after a failure');
      assert.deepEqual(storedIds(folder), ['dlv_before', 'dlv_after']);
      assert.equal(batches.length, 2);
    });

  test('that does not keep the name of a new segment refuses what would be in it', async (t) => {
    const { folder, writer } = openWriter(t);
    const acts = await fileActs(makeTempFolder(t));
    t.mock.method(acts, 'sync', () => systemError('EIO'), { times: 1 });
    const outcome = await writer.append(spoolEntry({ id: 'dlv_refused' }));
    assert.ok(!outcome.ok);
    assert.equal(outcome.failure.code, 'SPOOL_UNAVAILABLE');
    assert.deepEqual(await writer.append(spoolEntry({ id: 'dlv_after' })), OK);
    assert.deepEqual(storedIds(folder), ['dlv_after']);
  });

  test('an error without a code is a refusal too', async (t) => {
    const { writer } = openWriter(t);
    t.mock.method(await fileActs(makeTempFolder(t)), 'datasync', async () => {
      throw new Error('odd');
    });
    const outcome = await writer.append(spoolEntry());
    assert.ok(!outcome.ok);
    assert.equal(outcome.failure.detail, 'The system said unknown error.');
  });

  test('that cannot even cut off what it refused still serves the next one', async (t) => {
    const { folder, writer } = openWriter(t);
    await writer.append(spoolEntry({ id: 'dlv_before' }));
    const acts = await fileActs(makeTempFolder(t));
    const fail = () => systemError('EIO');
    t.mock.method(acts, 'datasync', fail, { times: 1 });
    t.mock.method(acts, 'truncate', fail, { times: 1 });
    assert.ok(!(await writer.append(spoolEntry({ id: 'dlv_refused' }))).ok);
    assert.deepEqual(await writer.append(spoolEntry({ id: 'dlv_after' })), OK);
    const ids = storedIds(folder);
    assert.ok(ids.includes('dlv_before') && ids.includes('dlv_after'));
  });

  test('a write that is cut short goes on where it stopped', async (t) => {
    const { folder, writer } = openWriter(t);
    const acts = await fileActs(makeTempFolder(t));
    const write = acts.write;
    type Write = (this: unknown, bytes: Buffer, from: number, count: number, at: number) => unknown;
    const short: Write = function (bytes, from, count, at) {
      return (write as unknown as Write).call(this, bytes, from, Math.min(count, 100), at);
    };
    t.mock.method(acts, 'write', short as unknown as typeof write);
    const entries = entriesOf(3);
    await Promise.all(entries.map((entry) => writer.append(entry)));
    assert.deepEqual(readSegment(folder, listSegments(folder)[0] ?? '', 0).entries, entries);
  });

  test('a segment that was deleted while it was open acknowledges nothing more; the next one does', async (t) => {
    const folder = makeTempFolder(t);
    const writer = new SpoolWriter(folder, {
      onDurable: () => undefined,
      onFinished: () => undefined,
    });
    assert.deepEqual(await writer.append(spoolEntry({ id: 'dlv_1' })), OK);
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    const refused = await writer.append(spoolEntry({ id: 'dlv_2' }));
    assert.equal(refused.ok ? '' : refused.failure.code, 'SPOOL_UNAVAILABLE');
    assert.deepEqual(await writer.append(spoolEntry({ id: 'dlv_3' })), OK);
    await writer.close();
    assert.deepEqual(storedIds(folder), ['dlv_3']);
  });

  test('that is full refuses, loses nothing, and serves again when there is room', async (t) => {
    const folder = makeTempFolder(t);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
    if (mounted.status !== 0) return t.skip('mounting needs root');
    const writer = new SpoolWriter(folder, {
      onDurable: () => undefined,
      onFinished: () => undefined,
    });
    try {
      assert.deepEqual(await writer.append(spoolEntry({ id: 'dlv_1' })), OK);
      writeFileSync(join(folder, 'filler'), Buffer.alloc(128 * 1024));
      const big = spoolEntry({ id: 'dlv_2' }, Buffer.alloc(200 * 1024));
      const refused = await writer.append(big);
      assert.ok(!refused.ok);
      assert.equal(refused.failure.code, 'SPOOL_DISK_FULL');
      assert.deepEqual(storedIds(folder), ['dlv_1']);
      rmSync(join(folder, 'filler'));
      assert.deepEqual(await writer.append(big), OK);
      assert.deepEqual(storedIds(folder), ['dlv_1', 'dlv_2']);
    } finally {
      await writer.close();
      spawnSync('umount', [folder]);
    }
  });

  test('a limit on the size of files refuses what is beyond it and keeps what was acknowledged', (t) => {
    const folder = makeTempFolder(t);
    // 32 blocks of 512 bytes hold the first three entries of some 4 KB each.
    const limited = ['-c', 'ulimit -f 32; exec "$@"', 'sh', process.execPath, APPEND];
    const child = spawnSync('sh', [...limited, folder, '6', '4000']);
    const said = child.stdout.toString().trim().split('\n');
    assert.equal(said.length, 6, child.stderr.toString());
    assert.ok(said.includes('The system said EFBIG.'), said.join());
    const acknowledged = said.flatMap((line, index) =>
      line === 'acknowledged' ? [`dlv_${index}`] : [],
    );
    assert.deepEqual(storedIds(folder).sort(), acknowledged);
  });

  test('a folder that is missing refuses, and serves again when it is back', async (t) => {
    const folder = join(makeTempFolder(t), 'intake');
    const { writer } = openWriter(t, folder);
    const refused = await writer.append(spoolEntry());
    assert.deepEqual(refused, {
      ok: false,
      failure: { code: 'SPOOL_UNAVAILABLE', detail: 'The system said ENOENT.' },
    });
    mkdirSync(folder);
    assert.deepEqual(await writer.append(spoolEntry()), OK);
  });
});
