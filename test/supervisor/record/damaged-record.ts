import { createHash } from 'node:crypto';
import { formatUpdateRecord } from '../../../shared/contract/update-record.ts';
import { RECORD } from '../core/update/fixture.ts';

type Damage = readonly [title: string, damage: (whole: Uint8Array) => Uint8Array];

const GARBAGE_BYTES = 10_000_000;

/** What a power cut, a worn disk or a hand makes of a record: none of it may be acted upon. */
export function damages(): readonly Damage[] {
  return [
    ['cut off before its first byte', (whole) => whole.subarray(0, 0)],
    ['cut off after its first byte', (whole) => whole.subarray(0, 1)],
    ['cut off in the middle', (whole) => whole.subarray(0, whole.length / 2)],
    // The last byte ends the line.
    ['cut off before its last brace', (whole) => whole.subarray(0, whole.length - 2)],
    flip(0.5),
    ['with another checksum', (whole) => replace(whole, /"sum":"./, '"sum":"x')],
    ['behind a byte order mark', (whole) => Buffer.concat([Buffer.from('\ufeff'), whole])],
    ['with 10 MB of garbage in its place', () => Buffer.alloc(GARBAGE_BYTES, 'garbage ')],
    ['an array', () => Buffer.from('[]')],
    ['empty', () => Buffer.from('{}')],
    ['in a state that is none', () => sealed({ state: 'dreaming' })],
  ];
}

/** Less likely ones. */
export function furtherDamages(): readonly Damage[] {
  return [
    ...[0.1, 0.3, 0.7, 0.9].map(flip),
    ['without a checksum', (whole) => replace(whole, /,"sum":"[^"]*"/, '')],
    ['without a version', (whole) => replace(whole, /"v":1,/, '')],
    ['twice', (whole) => Buffer.concat([whole, whole])],
    ['with zeros in its place', (whole) => Buffer.alloc(whole.length)],
    ['null', () => Buffer.from('null')],
    ['without its state', () => sealed({ state: undefined })],
    ['with a negative number of tries', () => sealed({ triesLeft: -1 })],
    ['with a name that leads elsewhere', () => sealed({ txn: '../../etc' })],
  ];
}

/** A record of a program that knows a later format. */
export function untouched(): string {
  return Buffer.from(sealed({ v: 2, news: { deep: [1] } })).toString();
}

/** One bit of a byte there. */
function flip(part: number): Damage {
  const damage = (whole: Uint8Array) => {
    const bytes = Uint8Array.from(whole);
    const at = Math.floor(bytes.length * part);
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    return bytes;
  };
  return [`with one bit flipped at ${part * 100} %`, damage];
}

function replace(whole: Uint8Array, what: RegExp, by: string): Uint8Array {
  return Buffer.from(Buffer.from(whole).toString().replace(what, by));
}

/** A record with other fields and a checksum that fits them. */
function sealed(over: object): Uint8Array {
  const hash = (content: string) => createHash('sha256').update(content).digest('hex');
  return Buffer.from(formatUpdateRecord({ ...RECORD, ...over } as typeof RECORD, hash));
}
