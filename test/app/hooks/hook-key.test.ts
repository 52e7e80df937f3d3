import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { obtainHookKey, readHookKey, seal, unseal } from '../../../app/hooks/hook-key.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const HEX = '0123456789abcdef'.repeat(4);

describe('the key of hooks', () => {
  test('is none until it is needed; then it is made once, for its owner alone', (t) => {
    const path = join(makeTempFolder(t), 'hook.key');
    assert.deepEqual(readHookKey({ path }), { ok: true, value: undefined });
    const made = obtainHookKey({ path });
    assert.ok(made.ok);
    assert.equal(made.value.bytes.length, 32);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(obtainHookKey({ path }), made);
    assert.deepEqual(readHookKey({ path }), made);
    assert.ok(!made.value.id.includes(readFileSync(path, 'utf8').trim().slice(0, 16)));
  });

  test('is the one of the settings where they name one, and no file is made', (t) => {
    const path = join(makeTempFolder(t), 'hook.key');
    const given = obtainHookKey({ given: HEX, path });
    assert.ok(given.ok);
    assert.equal(given.value.bytes.toString('hex'), HEX);
    assert.deepEqual(readHookKey({ path }), { ok: true, value: undefined });
  });

  test('is not replaced where its file holds something else', (t) => {
    const path = join(makeTempFolder(t), 'hook.key');
    for (const text of ['', 'zgeheim', `${HEX}00`, 'x'.repeat(5_000)]) {
      writeFileSync(path, text);
      const obtained = obtainHookKey({ path });
      assert.ok(!obtained.ok);
      assert.equal(obtained.failure.code, 'HOOK_KEY_UNUSABLE');
      assert.ok(!obtained.failure.detail.includes('zgeheim'));
      assert.equal(readFileSync(path, 'utf8'), text);
    }
  });

  test('that cannot be read or made is said, with what the system says', (t) => {
    const folder = makeTempFolder(t);
    const missing = obtainHookKey({ path: join(folder, 'none', 'hook.key') });
    assert.ok(!missing.ok && /ENOENT/.test(missing.failure.detail));
    const path = join(folder, 'hook.key');
    writeFileSync(path, HEX);
    chmodSync(path, 0);
    if (process.getuid?.() === 0) return;
    const closed = readHookKey({ path });
    assert.ok(!closed.ok && /EACCES/.test(closed.failure.detail));
  });
});

describe('a sealed secret', () => {
  test('is opened by its key in its place only, and not after a bit has changed', (t) => {
    const folder = makeTempFolder(t);
    const key = obtainHookKey({ path: join(folder, 'one.key') });
    const other = obtainHookKey({ path: join(folder, 'other.key') });
    assert.ok(key.ok && other.ok);
    const sealed = seal(key.value, 'puh_secret', 'forge');
    assert.equal(unseal(key.value, sealed, 'forge'), 'puh_secret');
    assert.ok(!sealed.includes('secret'));
    assert.equal(unseal(other.value, sealed, 'forge'), undefined);
    assert.equal(unseal(key.value, sealed, 'other'), undefined);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      assert.equal(unseal(key.value, changed, 'forge'), undefined, String(at));
    }
    assert.equal(unseal(key.value, Buffer.alloc(5), 'forge'), undefined);
    assert.notDeepEqual(seal(key.value, 'puh_secret', 'forge'), sealed);
  });
});
