import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { compiledCodeFolder, dropOldCompiledCode } from '../../../app/tasks/compiled-code.ts';
import { makeFolder } from '../http/http-fixture.ts';

test('compiled code of other versions goes, that of this one and everything else stays', (t) => {
  const data = makeFolder(t);
  const [current, old] = [compiledCodeFolder(data), join(data, 'compiled-0.0.1-abc')];
  assert.equal(dirname(current), data);
  for (const folder of [current, old]) mkdirSync(join(folder, 'v26'), { recursive: true });
  writeFileSync(join(data, 'kept.db'), '');
  dropOldCompiledCode(data);
  assert.deepEqual([current, old, join(data, 'kept.db')].map(existsSync), [true, false, true]);
});

test('a folder that is not there yet is no reason to fail', (t) => {
  dropOldCompiledCode(join(makeFolder(t), 'none'));
});
