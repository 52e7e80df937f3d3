import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { keepBadPayloads } from '../../../app/intake/bad-payloads.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { keepLog } from '../http/http-fixture.ts';

const LONG_MS = 20_000;

describe('bodies with a bad signature', () => {
  test('are written after the turn, their beginning only, and readable by nobody else', async (t) => {
    const folder = makeTempFolder(t);
    const path = join(folder, 'last_payload.bin');
    const payloads = keepBadPayloads(path, keepLog().log);
    payloads.keep(Buffer.alloc(100_000, 'a'));
    assert.equal(existsSync(path), false);
    await until('the file', LONG_MS, () => existsSync(path));
    assert.equal(readFileSync(path, 'utf8'), 'a'.repeat(65_536));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['last_payload.bin']);
  });

  test('of a flood leave the first at once and the last one, and no write for each', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const path = join(makeTempFolder(t), 'last_payload.bin');
    const payloads = keepBadPayloads(path, keepLog().log);
    payloads.keep(Buffer.from('first'));
    t.mock.timers.tick(1);
    assert.equal(readFileSync(path, 'utf8'), 'first');
    for (let count = 0; count < 1_000; count++) payloads.keep(Buffer.from(`body ${count}`));
    t.mock.timers.tick(5_000);
    assert.equal(readFileSync(path, 'utf8'), 'first');
    t.mock.timers.tick(5_000);
    assert.equal(readFileSync(path, 'utf8'), 'body 999');
    payloads.keep(Buffer.from('at the end'));
    payloads.close();
    assert.equal(readFileSync(path, 'utf8'), 'at the end');
  });

  test('that cannot be kept are complained of, and nothing breaks', () => {
    const { log, lines } = keepLog();
    const payloads = keepBadPayloads('/nonexistent/folder/last_payload.bin', log);
    payloads.keep(Buffer.from('x'));
    payloads.close();
    assert.match(lines.join(''), /the body with a bad signature cannot be kept/);
  });
});
