import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageSieve } from '../../../app/host/message-sieve.ts';

const [CALL_ANSWER, SIGNAL] = [2, 4];

/** A message as the specification lays it out; its fields need not be real ones, as long as they name the member. */
function message(type: number, member: string, body = '', order: 'l' | 'B' = 'l'): Buffer {
  const fields = Buffer.from(`fields of ${member}`);
  const header = Buffer.alloc(16);
  header.write(order, 0, 'latin1');
  header[1] = type;
  header[3] = 1;
  const write = (value: number, at: number) =>
    order === 'l' ? header.writeUInt32LE(value, at) : header.writeUInt32BE(value, at);
  write(Buffer.byteLength(body), 4);
  write(7, 8);
  write(fields.length, 12);
  const padding = Buffer.alloc((8 - (fields.length % 8)) % 8);
  return Buffer.concat([header, fields, padding, Buffer.from(body)]);
}

const GREETING = Buffer.from('OK 0123456789abcdef\r\nAGREE_UNIX_FD\r\n');
const ANSWER = message(CALL_ANSWER, 'Get', 'what a unit does');
const LONG = message(CALL_ANSWER, 'ListUnits', 'x'.repeat(70_000));
const ENDED = message(SIGNAL, 'JobRemoved', 'a job');
const CHANGED = message(SIGNAL, 'PropertiesChanged', 'JobRemoved stands in this one, too');
const OTHER_WAY_ROUND = message(SIGNAL, 'JobRemoved', 'a job', 'B');
const CHANGED_OTHERWISE = message(SIGNAL, 'UnitNew', 'a unit', 'B');

const ALL = Buffer.concat([
  ...[GREETING, CHANGED, ANSWER, CHANGED, CHANGED, ENDED, CHANGED_OTHERWISE],
  ...[LONG, OTHER_WAY_ROUND, CHANGED, ANSWER],
]);
const WANTED = Buffer.concat([GREETING, ANSWER, ENDED, LONG, OTHER_WAY_ROUND, ANSWER]);

function sift(pieces: readonly Buffer[]): Buffer {
  const sieve = new MessageSieve(['JobRemoved']);
  return Buffer.concat(pieces.map((piece) => sieve.add(piece)));
}

describe('message sieve', () => {
  test('of all signals only those that were asked for pass, and everything else does', () => {
    assert.deepEqual(sift([ALL]), WANTED);
  });

  test('wherever what comes is cut, and however often', () => {
    // Up to the long message each byte alone.
    const begin = [...ALL.subarray(0, 500)].map((byte) => Buffer.from([byte]));
    assert.deepEqual(sift([...begin, ALL.subarray(500)]), WANTED);
    for (let cut = 1; cut < 600; cut++) {
      assert.deepEqual(sift([ALL.subarray(0, cut), ALL.subarray(cut)]), WANTED, String(cut));
    }
  });

  test('a message passes only when it is whole', () => {
    const sieve = new MessageSieve(['JobRemoved']);
    assert.equal(sieve.add(ANSWER.subarray(0, -1)).length, 0);
    assert.deepEqual(sieve.add(ANSWER.subarray(-1)), ANSWER);
  });

  test('from what is longer than a message may be everything passes as it comes', () => {
    const wrong = message(SIGNAL, 'PropertiesChanged', 'a body');
    wrong.writeUInt32LE(0xffff_ffff, 4);
    const rest = Buffer.from('whatever');
    assert.deepEqual(sift([CHANGED, wrong, CHANGED, rest]), Buffer.concat([wrong, CHANGED, rest]));
  });
});
