import { crc32 } from 'node:zlib';

/**
 * What became of one accepted webhook for one unit, as it lies in the spool. Written before it is answered; understood also
 * by a process that cannot open the database. What is optional here earlier versions do not know, and lose nothing by
 * (see ARCHITECTURE.md, "The record in the spool").
 */
export type IntakeRecord = {
  readonly v: 1;
  /** Unique and sortable by time; makes taking a record over into the database repeatable. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** What kind of sender it was. */
  readonly source: string;
  /** Where it was sent to, without anything secret. */
  readonly path: string;
  /** Empty where it concerns none. */
  readonly unit: string;
  readonly event: string;
  /** What its sender calls it; the same again on a redelivery. */
  readonly delivery: string;
  readonly remoteAddress: string;
  readonly requestId: string;
  /** What was made of it, as the sender was told. */
  readonly verdict: IntakeVerdict;
  /** The hook that let it in; absent on the path that is a unit's own. */
  readonly hook?: UsedHook;
  /** The id of the first record of the same delivery, which has its body; absent on that one itself. */
  readonly reception?: string;
  /** Of the body, where that lies with the first record; absent on that one itself. */
  readonly body?: BodyFacts;
  /** What it does anew, and who wanted that; absent on what came over HTTP. */
  readonly replay?: { readonly of: string; readonly by: string };
  /** What its sender said beside the body: by name of the header, nothing secret, at most 4 KiB. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What was read out of it; absent on records of earlier versions, and where it said nothing of an image. */
  readonly understood?: Understood;
};

/** The hook that let a delivery in, and how it is to be treated for that. */
export type UsedHook = {
  readonly name: string;
  /** The id of the secret that fitted. */
  readonly secret: string;
  /**
   * Nothing but the secret in the URL speaks for the sender: what it says was pushed has to be found at the registry
   * before anything is deployed.
   */
  readonly isUnsigned: boolean;
};

/** The size and the SHA-256, in hex, of a body. */
export type BodyFacts = { readonly bytes: number; readonly sha256: string };

/** What a delivery says was pushed, as far as it concerns a unit. */
export type Understood = {
  readonly action: string;
  /** With its registry, without a tag. */
  readonly image: string;
  /** At most 20. */
  readonly tags: readonly string[];
  readonly digest?: string;
  /** How many images it names in all. */
  readonly images: number;
};

/** The judgement that the sender was told. */
export type IntakeVerdict = {
  readonly verdict: 'accepted' | 'ignored' | 'duplicate' | 'ping';
  readonly reason?: string;
  readonly detail?: string;
  readonly image?: string;
  readonly matched?: 'tag' | 'repository';
  readonly digest?: string;
};

/** A record with the raw body it was judged from. */
export type SpoolEntry = { readonly record: IntakeRecord; readonly body: Buffer };

const MAGIC = 0x50_55_53_31; // "PUS1"
const HEADER_BYTES = 16;
const MAX_META_BYTES = 64 * 1024;
const MAX_BODY_BYTES = 26 * 1024 * 1024;

/** Header (magic, length of meta, length of body, CRC-32 over both) and then both. */
export function encodeSpoolEntry(entry: SpoolEntry): Buffer {
  const meta = Buffer.from(JSON.stringify(entry.record));
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(MAGIC, 0);
  header.writeUInt32BE(meta.length, 4);
  header.writeUInt32BE(entry.body.length, 8);
  header.writeUInt32BE(crc32(entry.body, crc32(meta)), 12);
  return Buffer.concat([header, meta, entry.body]);
}

/** An entry and where the next one begins; or a damaged stretch and where to go on. */
export type SpoolReading =
  | { readonly kind: 'entry'; readonly entry: SpoolEntry; readonly end: number }
  | { readonly kind: 'damaged'; readonly end: number }
  | { readonly kind: 'end' };

/**
 * Reads what stands at `start` of a segment. A record that is cut off at the end of the file was never acknowledged:
 * `end`. A damaged one in the middle costs only itself: reading goes on at the next place where a whole record with a
 * good checksum begins.
 */
export function readSpoolEntry(segment: Buffer, start: number): SpoolReading {
  if (start >= segment.length) return { kind: 'end' };
  const entry = decodeAt(segment, start);
  if (entry) return { kind: 'entry', ...entry };
  for (let at = nextMagic(segment, start + 1); at >= 0; at = nextMagic(segment, at + 1)) {
    if (decodeAt(segment, at)) return { kind: 'damaged', end: at };
  }
  return { kind: 'end' };
}

/**
 * Whether what stands at `start` is the beginning of an entry whose end was never written: it was never acknowledged.
 * Anything else that cannot be read may have been.
 */
export function isCutOff(segment: Buffer, start: number): boolean {
  if (start + HEADER_BYTES > segment.length) return true;
  if (segment.readUInt32BE(start) !== MAGIC) return false;
  const metaBytes = segment.readUInt32BE(start + 4);
  const bodyBytes = segment.readUInt32BE(start + 8);
  if (metaBytes > MAX_META_BYTES || bodyBytes > MAX_BODY_BYTES) return false;
  return start + HEADER_BYTES + metaBytes + bodyBytes > segment.length;
}

const MAGIC_BYTES = Buffer.from('PUS1');

function nextMagic(segment: Buffer, from: number): number {
  return segment.indexOf(MAGIC_BYTES, from);
}

function decodeAt(segment: Buffer, at: number): { entry: SpoolEntry; end: number } | undefined {
  if (at + HEADER_BYTES > segment.length || segment.readUInt32BE(at) !== MAGIC) return undefined;
  const metaBytes = segment.readUInt32BE(at + 4);
  const bodyBytes = segment.readUInt32BE(at + 8);
  const end = at + HEADER_BYTES + metaBytes + bodyBytes;
  // A magic before zeros, as a power cut may leave it, has the checksum of nothing, which is zero.
  if (metaBytes === 0 || metaBytes > MAX_META_BYTES) return undefined;
  if (bodyBytes > MAX_BODY_BYTES || end > segment.length) return undefined;
  const meta = segment.subarray(at + HEADER_BYTES, at + HEADER_BYTES + metaBytes);
  const body = segment.subarray(at + HEADER_BYTES + metaBytes, end);
  if (crc32(body, crc32(meta)) !== segment.readUInt32BE(at + 12)) return undefined;
  return { entry: { record: JSON.parse(meta.toString('utf8')) as IntakeRecord, body }, end };
}
