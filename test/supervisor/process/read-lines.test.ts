import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { readLines } from '../../../supervisor/process/read-lines.ts';

/** What is told of these chunks, where a line may have ten characters, and what is left over. */
async function read(chunks: readonly (string | Uint8Array)[]) {
  const stream = new PassThrough();
  const told: (string | undefined)[] = [];
  const rest = readLines(stream, 10, (line) => told.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await new Promise((resolve) => stream.once('end', resolve));
  return { told, rest: rest() };
}

describe('readLines', () => {
  test('lines come whole, however they were cut', async () => {
    assert.deepEqual(await read(['a', 'b\nc\n', '\nd']), { told: ['ab', 'c', ''], rest: 'd' });
  });

  test('a letter of several bytes may be cut in the middle', async () => {
    const [first, second] = Buffer.from('é');
    const chunks = [Uint8Array.of(first ?? 0), Uint8Array.of(second ?? 0), '\n'];
    assert.deepEqual((await read(chunks)).told, ['é']);
  });

  test('only a line feed ends a line', async () => {
    const line = '\r \u2028 \u2029 .';
    assert.deepEqual((await read([`${line}\n`])).told, [line]);
  });

  test('of a line that is too long nothing is kept, and the next one is told again', async () => {
    const tooLong = 'x'.repeat(11);
    assert.deepEqual((await read(['x'.repeat(10), '\n', tooLong, '\ny\n'])).told, [
      'x'.repeat(10),
      undefined,
      'y',
    ]);
    assert.deepEqual(await read([tooLong, 'yy']), { told: [], rest: undefined });
  });
});
