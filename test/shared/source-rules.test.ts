import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { files, texts } from './source-imports.ts';

const MAX_LINES = 300;
/** Waivers of the linter in the sources. It may only fall. */
const WAIVERS = 0;

const offenders = (isWrong: (text: string, file: string) => boolean) =>
  files.filter((file) => isWrong(texts.get(file) ?? '', file));

describe('the text of the sources', () => {
  test(`are at most ${MAX_LINES} lines long`, () => {
    assert.deepEqual(
      offenders((text) => text.split('\n').length - 1 > MAX_LINES),
      [],
    );
  });

  test('export nothing as default', () => {
    assert.deepEqual(
      offenders((text) => /^export default\b|\bas default\b/m.test(text)),
      [],
    );
  });

  test('rename and link files in one place only, which makes it durable', () => {
    const call = /(?<![\w$])(?:rename|link)(?:Sync)?(?:\s*\(|(?=[^;{}]*\}\s*from 'node:fs))/;
    const found = offenders((text) => call.test(text));
    assert.deepEqual(found, ['shared/fs/durable-file.ts', 'shared/fs/files.ts']);
  });

  test(`waive a rule of the linter ${WAIVERS} times`, () => {
    const count = [...texts.values()].join('\n').match(/biome-ignore/g)?.length ?? 0;
    assert.equal(count, WAIVERS);
  });
});
