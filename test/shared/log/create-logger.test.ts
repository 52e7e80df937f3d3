import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createLogger } from '../../../shared/log/create-logger.ts';

const SECRET = 'correct horse "battery"';

function openLog(level = 'info') {
  const written: string[] = [];
  const destination = { write: (line: string) => written.push(line) };
  const log = createLogger({ name: 'tested', level, secrets: [SECRET], destination });
  return { log, written };
}

describe('createLogger', () => {
  test('a line is one object of JSON with an ISO time, the level as a word, name and pid', () => {
    const { log, written } = openLog();
    log.info({ unit: 'web.service' }, 'something happened');
    const { time, ...rest } = JSON.parse(written[0] ?? '');
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      level: 'info',
      pid: process.pid,
      name: 'tested',
      unit: 'web.service',
      msg: 'something happened',
    });
    assert.equal(written[0]?.split('\n').length, 2);
  });

  test('lines below the level are not written', () => {
    const { log, written } = openLog('warn');
    log.info('no');
    log.warn('yes');
    assert.equal(written.length, 1);
  });

  test('a secret is written nowhere: not in fields, messages, errors, URLs nor child loggers', () => {
    const { log, written } = openLog('trace');
    const error = new Error(`refused ${SECRET}`, { cause: new Error(SECRET) });
    log.error({ err: error }, `it was ${SECRET}`);
    log.info({ url: `/x?token=${encodeURIComponent(SECRET)}`, deep: { list: [SECRET] } });
    log.child({ bound: SECRET, password: 'other' }).debug('from %s', SECRET);
    log.info({
      headers: { authorization: `Basic ${Buffer.from(`u:${SECRET}`).toString('base64')}` },
    });
    assert.equal(written.length, 4);
    for (const line of written) {
      assert.doesNotMatch(line, /correct|horse|battery|other|Y29ycmVjd/);
      assert.match(line, /\[redacted\]/);
      JSON.parse(line);
    }
  });

  test('without a destination each line is on stdout before the next statement runs', () => {
    const module = join(import.meta.dirname, '../../../shared/log/create-logger.ts');
    const script = `import { createLogger } from ${JSON.stringify(module)};
      createLogger({ name: 'tested', level: 'info', secrets: [] }).info('last words');
      process.kill(process.pid, 'SIGKILL');`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    assert.equal(JSON.parse(String(stdout)).msg, 'last words');
  });
});
