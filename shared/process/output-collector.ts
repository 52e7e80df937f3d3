/**
 * Keeps the beginning and the end of a stream, at most `maxBytes` in all: the first lines say what a program set out
 * to do, the last ones why it failed.
 */
export class OutputCollector {
  readonly #headMax: number;
  readonly #tailMax: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #dropped = 0;

  constructor(maxBytes: number) {
    this.#headMax = Math.floor(maxBytes / 2);
    this.#tailMax = maxBytes - this.#headMax;
  }

  add(chunk: Buffer): void {
    const room = this.#headMax - this.#headBytes;
    if (room > 0) {
      const part = chunk.subarray(0, room);
      this.#head.push(part);
      this.#headBytes += part.length;
    }
    const rest = chunk.subarray(Math.max(room, 0));
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    // Joined only when twice the limit is held, so that many small chunks cost one copy each on average.
    if (this.#tailBytes > 2 * this.#tailMax) this.#shrinkTail();
  }

  /** How many bytes are no longer kept. */
  get dropped(): number {
    this.#shrinkTail();
    return this.#dropped;
  }

  /** What is kept, with a line in place of what is not. */
  text(): string {
    this.#shrinkTail();
    // In one piece, for a character may lie across the border between the two.
    if (this.#dropped === 0) return Buffer.concat([...this.#head, ...this.#tail]).toString('utf8');
    const head = Buffer.concat(this.#head).toString('utf8');
    const tail = Buffer.concat(this.#tail).toString('utf8');
    return `${head}\n[... ${this.#dropped} bytes left out ...]\n${tail}`;
  }

  #shrinkTail(): void {
    if (this.#tailBytes <= this.#tailMax) return;
    const joined = Buffer.concat(this.#tail);
    const kept = joined.subarray(joined.length - this.#tailMax);
    this.#dropped += joined.length - kept.length;
    this.#tail = [kept];
    this.#tailBytes = kept.length;
  }
}
