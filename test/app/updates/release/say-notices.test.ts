import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoticeSayer } from '../../../../app/updates/release/say-notices.ts';
import { parseStagerNotice } from '../../../../shared/contract/stager-messages.ts';

/** A sayer, what it has said, and a clock that stands still until it is moved. */
function makeSayer(t: Parameters<NonNullable<Parameters<typeof test>[0]>>[0]) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 1_000;
  t.mock.method(performance, 'now', () => nowMs);
  const said: unknown[] = [];
  const say = new NoticeSayer((line) => {
    assert.match(line, /^[^\n]*\n$/);
    said.push(parseStagerNotice(JSON.parse(line)));
  });
  const pass = (ms: number) => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };
  return { say, said, pass };
}

const at = (bytes: number) => ({ step: 'downloading', bytes, total: 100 }) as const;
const failed = { kind: 'failed', failure: { code: 'INTERNAL', detail: 'x' } } as const;

test('progress is said at once, then five times a second at most, the newest each time', (t) => {
  const { say, said, pass } = makeSayer(t);
  for (let ms = 0; ms < 1_000; ms += 10) {
    say.progress(at(ms));
    pass(10);
  }
  assert.deepEqual(
    said.map((notice) => (notice as { bytes: number }).bytes),
    [0, 190, 390, 590, 790, 990],
  );
});

test('what waits is said when it is time, though nothing else comes', (t) => {
  const { say, said, pass } = makeSayer(t);
  say.progress(at(1));
  say.progress(at(2));
  say.progress({ step: 'self-check', bytes: 0, total: null });
  assert.equal(said.length, 1);
  pass(200);
  assert.deepEqual(said.slice(1), [
    { kind: 'progress', step: 'self-check', bytes: 0, total: null },
  ]);
  pass(1_000);
  assert.equal(said.length, 2);
});

test('behind the last notice nothing is said', (t) => {
  const { say, said, pass } = makeSayer(t);
  say.progress(at(1));
  say.progress(at(2));
  say.last(failed);
  pass(1_000);
  assert.deepEqual(said.slice(1), [failed]);
});
