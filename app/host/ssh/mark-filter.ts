import { StringDecoder } from 'node:string_decoder';
import { stripMarks } from './read-marks.ts';

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
    this.#held += this.#decoder.write(chunk);
    this.#hand(this.#held.lastIndexOf('\n') + 1);
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
