const NEWLINE = 0x0a;
const LITTLE_ENDIAN = 0x6c;
const BIG_ENDIAN = 0x42;
const HEADER_BYTES = 16;
const SIGNAL = 4;
/** No message may be longer (D-Bus Specification, "Message Format"). */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024;

/**
 * Takes the signals that nobody waits for out of what comes over a D-Bus connection, before anybody makes objects of them:
 * a service manager tells each of its private connections every change of every unit. The lines of the greeting, and
 * whatever is no D-Bus at all, pass as they are (D-Bus Specification, "Authentication Protocol" and "Message Format").
 */
export class MessageSieve {
  readonly #members: readonly string[];
  #held: Buffer = Buffer.alloc(0);
  #isLost = false;

  /** `members`: the names of the signals that pass. */
  constructor(members: readonly string[]) {
    this.#members = members;
  }

  /** What passes of all that is whole with this piece; the rest is kept for the next one. */
  add(piece: Buffer): Buffer {
    if (this.#isLost) return piece;
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    const passed: Buffer[] = [];
    let at = 0;
    for (;;) {
      const rest = bytes.subarray(at);
      const length = measure(rest);
      if (length === 'lost') {
        this.#isLost = true;
        return Buffer.concat([...passed, rest]);
      }
      if (length === undefined || length > rest.length) {
        this.#held = rest;
        return passed.length === 1 && passed[0] ? passed[0] : Buffer.concat(passed);
      }
      const whole = rest.subarray(0, length);
      if (this.#isWanted(whole)) passed.push(whole);
      at += length;
    }
  }

  #isWanted(message: Buffer): boolean {
    if (!isMessage(message) || message[1] !== SIGNAL) return true;
    const fields = message.subarray(HEADER_BYTES, HEADER_BYTES + readLength(message, 12));
    return this.#members.some((member) => fields.includes(member));
  }
}

/** How long the line or message is that begins here; undefined where that cannot be told yet. */
function measure(bytes: Buffer): number | 'lost' | undefined {
  if (!isMessage(bytes)) {
    const end = bytes.indexOf(NEWLINE);
    return end === -1 ? undefined : end + 1;
  }
  if (bytes.length < HEADER_BYTES) return undefined;
  const fields = readLength(bytes, 12);
  const length = HEADER_BYTES + Math.ceil(fields / 8) * 8 + readLength(bytes, 4);
  return length > MAX_MESSAGE_BYTES ? 'lost' : length;
}

/** A line of the greeting begins with another letter. */
function isMessage(bytes: Buffer): boolean {
  return bytes[0] === LITTLE_ENDIAN || bytes[0] === BIG_ENDIAN;
}

function readLength(bytes: Buffer, at: number): number {
  return bytes[0] === LITTLE_ENDIAN ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}
