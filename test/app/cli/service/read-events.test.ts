import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { readEvents } from '../../../../app/cli/service/read-events.ts';

async function readAll(...parts: readonly (string | Buffer)[]) {
  const events = readEvents(Readable.from(parts.map((part) => Buffer.from(part))));
  const read: unknown[] = [];
  for await (const event of events) read.push(event);
  return read;
}

describe('reading events', () => {
  test('gives each whole, however it was cut', async () => {
    const text = 'retry: 2000\nid: 1\nevent: log\ndata: {"a":"é"}\n\n: still here\n\ndata: x\n\n';
    const whole = [
      { event: 'log', id: '1', data: '{"a":"é"}' },
      { event: 'message', id: null, data: 'x' },
    ];
    assert.deepEqual(await readAll(text), whole);
    const bytes = [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
    assert.deepEqual(await readAll(...bytes), whole);
  });

  test('joins lines of data, and leaves out what was cut off', async () => {
    assert.deepEqual(await readAll('data: a\ndata: b\n\ndata: c\n'), [
      { event: 'message', id: null, data: 'a\nb' },
    ]);
  });

  test('gives up what never ends', async () => {
    await assert.rejects(readAll('x'.repeat(9 * 1024 * 1024)), /makes no sense/);
  });
});
