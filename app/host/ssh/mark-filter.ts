import { StringDecoder } from 'node:string_decoder';
import { stripMarks } from './read-marks.ts';

/** No mark is as long. */
const MARK_CHARACTERS = 200;
const MAX_HELD_CHARACTERS = 8_192;

/**
 * Takes the marks out of stderr while it comes, for those who watch: what ssh and the login shell say before the command
 * begins is left out. It hands on whole lines, and the rest when it is told that no more comes.
 */
export class MarkFilter {
  readonly #nonce: string;
  readonly #tell: (chunk: Buffer) => void;
  readonly #decoder = new StringDecoder('utf8');
  #held = '';
  #hasBegun = false;

  constructor(nonce: string, tell: (chunk: Buffer) => void) {
    this.#nonce = nonce;
    this.#tell = tell;
  }

  add(chunk: Buffer): void {
    const text = this.#decoder.write(chunk);
    const lineEnd = text.lastIndexOf('\n') + 1;
    const end = lineEnd === 0 ? 0 : this.#held.length + lineEnd;
    this.#held += text;
    // A line without an end: all but what may be the beginning of a mark.
    const isLong = this.#held.length - end > MAX_HELD_CHARACTERS;
    this.#hand(isLong ? beforeMark(this.#held, this.#held.length - MARK_CHARACTERS) : end);
  }

  end(): void {
    this.#hand(this.#held.length);
  }

  #hand(end: number): void {
    const { hasBegun, text } = stripMarks(this.#held.slice(0, end), this.#nonce, this.#hasBegun);
    this.#held = this.#held.slice(end);
    this.#hasBegun = hasBegun;
    if (text !== '') this.#tell(Buffer.from(text));
  }
}

/** A place at which no mark is cut in two, at `end` or a little before. */
function beforeMark(text: string, end: number): number {
  const begin = text.lastIndexOf('podup-', end);
  return begin >= 0 && end - begin < MARK_CHARACTERS ? begin : end;
}
