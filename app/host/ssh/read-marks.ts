import { constants } from 'node:os';
import type { CommandEnd } from '../../../shared/process/run-command.ts';

/** What the other side said of a command, between what the command said on stderr. */
export type Marks = {
  /** It was about to start the command, so that this may have run. */
  readonly hasBegun: boolean;
  /** How it ended; undefined where nothing came any more. */
  readonly end: CommandEnd | undefined;
  /** What the command itself said. Where it has not begun: all that ssh and the login shell said. */
  readonly stderr: string;
};

/** A shell says 128 + N of what signal N has ended, sh(1); a program that exits with such a code says the same. */
const SIGNAL_BASE = 128;

function markOf(nonce: string): RegExp {
  return new RegExp(`podup-${nonce} (began|exited|missing|denied) (\\d{1,3});`, 'g');
}

/** A part of stderr without its marks and, as long as the command has not begun, without what came before. */
export function stripMarks(
  text: string,
  nonce: string,
  hadBegun: boolean,
): { readonly hasBegun: boolean; readonly text: string } {
  const mark = markOf(nonce);
  const began = hadBegun ? 0 : (mark.exec(text)?.index ?? -1);
  if (began < 0) return { hasBegun: false, text: '' };
  return { hasBegun: true, text: text.slice(began).replace(markOf(nonce), '') };
}

/** Takes the marks of `REMOTE_COMMAND` out of what came on stderr. */
export function readMarks(text: string, nonce: string): Marks {
  const mark = markOf(nonce);
  const found = [...text.matchAll(mark)];
  const began = found.find(([, word]) => word === 'began');
  const last = found.find(([, word]) => word !== 'began');
  // What stands before is of ssh and the login shell.
  const own = began || last ? text.slice((began ?? last)?.index) : text;
  return {
    hasBegun: began !== undefined,
    end: last && describeEnd(last[1] ?? '', Number(last[2])),
    stderr: own.replace(mark, ''),
  };
}

/** Whether everything that will be said of the command has come; `text` may end anywhere. */
export function hasEndMark(text: string, nonce: string): boolean {
  return readMarks(text, nonce).end !== undefined;
}

function describeEnd(word: string, code: number): CommandEnd {
  if (word === 'missing') return { kind: 'not-started', reason: 'ENOENT' };
  if (word === 'denied') return { kind: 'not-started', reason: 'EACCES' };
  const signal = Object.entries(constants.signals).find(
    ([, number]) => number === code - SIGNAL_BASE,
  );
  return signal ? { kind: 'signalled', signal: signal[0] } : { kind: 'exited', code };
}
