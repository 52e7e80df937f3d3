import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { MAX_MESSAGE_LENGTH, readNotices } from '../../../supervisor/worker/read-notices.ts';

const NOTICE = { kind: 'worker-ready', version: '1.2.3', schema: 4, digest: null } as const;
const GOOD = `${JSON.stringify(NOTICE)}\n`;
const PADDED = `${JSON.stringify(NOTICE).padEnd(MAX_MESSAGE_LENGTH)}\n`;

/** Title, chunks as they arrive, and what is told: a notice, or the count of malformed messages. */
const ROWS = [
  ['a notice is told', [GOOD], [NOTICE]],
  ['a notice may arrive in pieces', [...GOOD], [NOTICE]],
  ['several may arrive at once', [GOOD + GOOD], [NOTICE, NOTICE]],
  ['a line that is no JSON is thrown away', ['no { JSON\n', GOOD], [1, NOTICE]],
  [
    'JSON that is no notice is thrown away',
    ['{"kind":"worker-ready"}\n', '[]\n', GOOD],
    [1, 2, NOTICE],
  ],
  ['an empty line is no notice', ['\n', GOOD], [1, NOTICE]],
  ['the longest message is still read', [PADDED], [NOTICE]],
  ['a longer one is thrown away', [` ${PADDED}`, GOOD], [1, NOTICE]],
  ['a longer one is thrown away in pieces, too', [' ', PADDED, GOOD], [1, NOTICE]],
  [
    'the end of a longer one is not taken for a message',
    ['x'.repeat(5_000), GOOD, GOOD],
    [1, NOTICE],
  ],
  ['an unfinished line says nothing', [GOOD.trimEnd()], []],
] as const;

describe('readNotices', () => {
  for (const [title, chunks, expected] of ROWS) {
    test(title, async () => {
      const channel = new PassThrough();
      const told: unknown[] = [];
      readNotices(channel, {
        notice: (notice) => told.push(notice),
        malformed: (count) => told.push(count),
      });
      for (const chunk of chunks) channel.write(chunk);
      channel.end();
      await new Promise((resolve) => channel.once('end', resolve));
      assert.deepEqual(told, expected);
    });
  }

  test('a channel that breaks is no reason to fail', () => {
    const channel = new PassThrough();
    readNotices(channel, { notice: () => {}, malformed: () => {} });
    assert.equal(channel.emit('error', new Error('read ECONNRESET')), true);
  });
});
