import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getuid } from 'node:process';
import { describe, type TestContext, test } from 'node:test';
import { openLocalHost } from '../../../app/host/open-host.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const host = openLocalHost('user', process.env);
const ENDINGS = ['.container', '.service'];

function makeTree(context: TestContext, texts: Readonly<Record<string, string>>): string {
  const folder = makeTempFolder(context);
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

async function read(folder: string, folders: readonly string[], depth = 8) {
  const files = await host.readFolders({
    folders: folders.map((name) => join(folder, name)),
    endings: ENDINGS,
    depth,
  });
  return files.map(({ path, text, fault }) => [path.slice(folder.length + 1), text ?? fault]);
}

describe('folders of unit files', () => {
  test('are read in their order, what lies higher first, with drop-ins, and nothing else', async (t) => {
    const folder = makeTree(t, {
      'b/z.container': 'z',
      'b/below/a.container': 'a',
      'b/z.container.d/10.conf': 'ten',
      'b/z.container.d/notes.txt': 'no',
      'b/README.md': 'no',
      'a/web.service': 'web',
      'a/web.service.wants/x.socket': 'no',
    });
    assert.deepEqual(await read(folder, ['a', 'gone', 'b']), [
      ['a/web.service', 'web'],
      ['b/z.container', 'z'],
      ['b/z.container.d/10.conf', 'ten'],
      ['b/below/a.container', 'a'],
    ]);
    assert.deepEqual(await read(folder, ['b'], 1), [
      ['b/z.container', 'z'],
      ['b/z.container.d/10.conf', 'ten'],
    ]);
  });

  test('may be links, even in a circle, and each is read once', async (t) => {
    const folder = makeTree(t, { 'a/web.container': 'web', 'far/one.container': 'one' });
    symlinkSync('../far', join(folder, 'a/more'));
    symlinkSync('../a', join(folder, 'far/back'));
    symlinkSync('web.container', join(folder, 'a/other.container'));
    symlinkSync('nowhere', join(folder, 'a/dead.container'));
    symlinkSync('/dev/null', join(folder, 'a/masked.container'));
    assert.deepEqual(await read(folder, ['a', 'far']), [
      ['a/masked.container', ''],
      ['a/other.container', 'web'],
      ['a/web.container', 'web'],
      ['a/more/one.container', 'one'],
    ]);
    const files = await host.readFolders({
      folders: [join(folder, 'a')],
      endings: ENDINGS,
      depth: 1,
    });
    const other = files.find(({ path }) => path.endsWith('/other.container'));
    assert.match(other?.target ?? '', /\/a\/web\.container$/);
  });

  test('tell of a file that is too large, and are refused as a whole where all are', async (t) => {
    const folder = makeTree(t, {
      'a/big.container': 'x'.repeat(262_145),
      'a/small.container': 's',
    });
    assert.deepEqual(await read(folder, ['a']), [
      ['a/big.container', 'It is larger than 256 KiB.'],
      ['a/small.container', 's'],
    ]);
    for (let at = 0; at < 65; at += 1) {
      writeFileSync(join(folder, `a/${at}.container`), 'x'.repeat(262_144));
    }
    await assert.rejects(read(folder, ['a']), { code: 'EFBIG' });
  });

  test('that are not ours are passed over', {
    skip: getuid?.() === 0 ? 'root reads all' : false,
  }, async (t) => {
    const folder = makeTree(t, { 'a/x.container': 'x', 'a/y/z.container': 'z' });
    chmodSync(join(folder, 'a/x.container'), 0);
    chmodSync(join(folder, 'a/y'), 0);
    t.after(() => chmodSync(join(folder, 'a/y'), 0o700));
    assert.deepEqual(await read(folder, ['a']), [['a/x.container', 'It cannot be read (EACCES).']]);
  });
});
