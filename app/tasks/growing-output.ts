import { StringDecoder } from 'node:string_decoder';
import type { OutputStream } from '../../shared/process/run-command.ts';

/** A piece of what a command said. */
export type OutputPart = { readonly stream: OutputStream; readonly text: string };

/** Hears what a command says in pieces; `isCut` with the last one, when there is more than is shown. */
export type OnOutputParts = (parts: readonly OutputPart[], isCut: boolean) => void;

/** A command that has ended by then is told of once, at its end. */
const FIRST_MS = 500;
/** Between two pieces: soon enough for who watches, and few enough for the database. */
const EACH_MS = 250;
/** Of one command; its end, with the last of its output, is recorded all the same. */
const MAX_CHARACTERS = 1_048_576;
/** A line that is longer is shown in pieces. */
const MAX_LINE_CHARACTERS = 8_192;
/** More than that does not wait for its turn. */
const MAX_WAITING_CHARACTERS = 65_536;

/**
 * Gathers what a running command says and hands it on in whole lines, in the order in which it came: once it has run for
 * half a second, then four times a second at most, and no more than a megabyte in all.
 */
export class GrowingOutput {
  readonly #tell: OnOutputParts;
  readonly #mask: (text: string) => string;
  readonly #rests: Record<OutputStream, string> = { stdout: '', stderr: '' };
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  #waiting: { stream: OutputStream; text: string }[] = [];
  #waitingCharacters = 0;
  #toldCharacters = 0;
  #isCut = false;
  #timer: NodeJS.Timeout | undefined;
  #hasBegun = false;

  /** `onBegin` hears that the command takes its time, before the first piece; neither may throw. `mask` hides secrets. */
  constructor(onBegin: () => void, tell: OnOutputParts, mask: (text: string) => string) {
    this.#tell = tell;
    this.#mask = mask;
    this.#timer = setTimeout(() => {
      this.#hasBegun = true;
      this.#timer = undefined;
      onBegin();
      this.#flush();
    }, FIRST_MS);
  }

  /** Whether the command has taken its time. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  add(stream: OutputStream, chunk: Buffer): void {
    if (this.#isCut || this.#waitingCharacters > MAX_CHARACTERS) return;
    const text = this.#rests[stream] + this.#decoders[stream].write(chunk);
    const lines = text.lastIndexOf('\n') + 1;
    const isLong = text.length - lines > MAX_LINE_CHARACTERS;
    const end = isLong ? Math.max(lines, text.lastIndexOf(' ') + 1) || text.length : lines;
    this.#rests[stream] = text.slice(end);
    this.#put(stream, text.slice(0, end));
  }

  /** No more comes. Hands the rest on, where there was a beginning. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#hasBegun) return;
    for (const stream of ['stdout', 'stderr'] as const) this.#put(stream, this.#rests[stream]);
    this.#flush();
    clearTimeout(this.#timer);
  }

  #put(stream: OutputStream, said: string): void {
    if (said === '' || this.#isCut) return;
    // Before anything is cut: a part of a secret would not be known for one.
    const text = this.#mask(said);
    const last = this.#waiting.at(-1);
    if (last?.stream === stream) last.text += text;
    else this.#waiting.push({ stream, text });
    this.#waitingCharacters += text.length;
    if (!this.#hasBegun) return;
    if (this.#waitingCharacters >= MAX_WAITING_CHARACTERS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), EACH_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const room = Math.max(MAX_CHARACTERS - this.#toldCharacters, 0);
    const parts = this.#waiting;
    this.#waiting = [];
    this.#toldCharacters += this.#waitingCharacters;
    this.#isCut = this.#waitingCharacters > room;
    this.#waitingCharacters = 0;
    if (parts.length > 0) this.#tell(this.#isCut ? cut(parts, room) : parts, this.#isCut);
  }
}

function cut(parts: readonly OutputPart[], room: number): OutputPart[] {
  let left = room;
  return parts.flatMap(({ stream, text }) => {
    const kept = text.slice(0, left);
    left -= kept.length;
    return kept === '' ? [] : [{ stream, text: kept }];
  });
}
