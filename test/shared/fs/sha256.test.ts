import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { createSha256, sha256 } from '../../../shared/fs/sha256.ts';

const MODULE = new URL('../../../shared/fs/sha256.ts', import.meta.url).href;
/** FIPS 180-4, appendix B.1. */
const OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

test('a text is hashed in UTF-8', () => {
  assert.equal(sha256('abc'), OF_ABC);
  assert.equal(sha256('grün'), createSha256().update(Buffer.from('grün')).digest('hex'));
});

test('content may come in pieces', () => {
  assert.equal(createSha256().update('a').update(Buffer.from('bc')).digest('hex'), OF_ABC);
});

test('the module behind it is not loaded before something is hashed', () => {
  const script = `const { sha256 } = await import(${JSON.stringify(MODULE)});
    const isLoaded = () => process.moduleLoadList.includes('NativeModule crypto');
    const before = isLoaded();
    sha256('abc');
    process.stdout.write(JSON.stringify([before, isLoaded()]));`;
  const args = ['--input-type=module', '-e', script];
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }), '[false,true]');
});
