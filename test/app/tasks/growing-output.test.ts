import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { GrowingOutput, type OutputPart } from '../../../app/tasks/growing-output.ts';

function open(context: TestContext) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const told: (readonly OutputPart[] | 'began' | 'cut')[] = [];
  const growing = new GrowingOutput(
    () => told.push('began'),
    (parts, isCut) => told.push(parts, ...(isCut ? (['cut'] as const) : [])),
    (text) => text.replaceAll('hunter2', '*'),
  );
  const say = (text: string | Buffer, stream: 'stdout' | 'stderr' = 'stdout') =>
    growing.add(stream, Buffer.from(text));
  const pass = (ms: number) => context.mock.timers.tick(ms);
  return { growing, told, say, pass };
}

const out = (text: string): OutputPart => ({ stream: 'stdout', text });
const err = (text: string): OutputPart => ({ stream: 'stderr', text });

describe('growing output', () => {
  test('of a quick command nothing is told', (t) => {
    const { growing, told, say, pass } = open(t);
    say('one\n');
    pass(499);
    growing.end();
    pass(1_000);
    assert.deepEqual([told, growing.hasBegun], [[], false]);
  });

  test('after half a second what it has said, then each quarter of a second, in whole lines', (t) => {
    const { growing, told, say, pass } = open(t);
    say('one\ntw');
    say('o\n', 'stderr');
    say('o\n');
    pass(500);
    assert.deepEqual(told, ['began', [out('one\n'), err('o\n'), out('two\n')]]);
    say('three\nfo');
    pass(249);
    assert.equal(told.length, 2);
    pass(1);
    assert.deepEqual(told[2], [out('three\n')]);
    pass(10_000);
    assert.equal(told.length, 3);
    say('ur');
    growing.end();
    assert.deepEqual(told[3], [out('four')]);
  });

  test('a character that comes in two pieces is one', (t) => {
    const { told, say, pass } = open(t);
    const bytes = Buffer.from('é\n');
    say(bytes.subarray(0, 1));
    say(bytes.subarray(1));
    pass(500);
    assert.deepEqual(told[1], [out('é\n')]);
  });

  test('a line that does not end is told in pieces', (t) => {
    const { told, say, pass } = open(t);
    say('x'.repeat(8_192));
    pass(500);
    assert.deepEqual(told, ['began']);
    say('y');
    pass(250);
    assert.deepEqual(told[1], [out(`${'x'.repeat(8_192)}y`)]);
  });

  test('lines stay whole, however much comes at once, so that a secret in one is known', (t) => {
    const { told, say, pass } = open(t);
    const line = `${'x'.repeat(4_000)} hunter2\n`;
    const text = line.repeat(4);
    say(text.slice(0, 8_205));
    say(text.slice(8_205));
    pass(500);
    assert.deepEqual(told[1], [out(`${'x'.repeat(4_000)} *\n`.repeat(4))]);
  });

  test('a line that does not end is cut between words', (t) => {
    const { told, say, pass } = open(t);
    say(`${'x'.repeat(8_190)} hunt`);
    pass(500);
    say('er2\n');
    pass(250);
    assert.deepEqual(told.slice(1), [[out(`${'x'.repeat(8_190)} `)], [out('*\n')]]);
  });

  test('much at once does not wait', (t) => {
    const { told, say, pass } = open(t);
    pass(500);
    say(`${'x'.repeat(70_000)}\n`);
    assert.equal(told.length, 2);
  });

  test('of one that says without end a megabyte is told, and that there is more', (t) => {
    const { growing, told, say, pass } = open(t);
    for (let at = 0; at < 40; at++) say('x'.repeat(100_000));
    pass(500);
    say('more\n');
    growing.end();
    const text = told.flatMap((one) => (Array.isArray(one) ? one : [])) as OutputPart[];
    assert.equal(text.map((part) => part.text).join('').length, 1_048_576);
    assert.deepEqual(told.at(-1), 'cut');
    assert.equal(told.length, 3);
  });

  test('after that nothing more is told', (t) => {
    const { growing, told, say, pass } = open(t);
    pass(500);
    for (let at = 0; at < 20; at++) say(`${'x'.repeat(70_000)}\n`, at % 2 ? 'stderr' : 'stdout');
    const before = told.length;
    say('more\n', 'stderr');
    growing.end();
    assert.equal(told.length, before);
    assert.equal(told.filter((one) => one === 'cut').length, 1);
  });
});
