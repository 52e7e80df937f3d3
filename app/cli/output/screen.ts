import { styleText } from 'node:util';

/** What a word means, and so in which colour it stands. */
export type Tone = 'good' | 'bad' | 'busy' | 'faint' | 'head';

/** Where output goes, as far as its form depends on it. */
export type Screen = {
  /** How many columns a line may have; absent where nobody looks, and nothing is to be cut. */
  readonly columns?: number;
  /** In its colour, where there are colours: never in a file, a pipe, or where NO_COLOR is set. */
  paint(tone: Tone, text: string): string;
};

const STYLES = {
  good: 'green',
  bad: 'red',
  busy: 'cyan',
  faint: 'dim',
  head: 'bold',
} as const satisfies Readonly<Record<Tone, Parameters<typeof styleText>[0]>>;

/** Nobody looks: whole lines, no colours. */
export const PLAIN: Screen = { paint: (_tone, text) => text };

/** What standard output is. */
export function findScreen(stream: NodeJS.WriteStream = process.stdout): Screen {
  if (!stream.isTTY) return PLAIN;
  return {
    columns: stream.columns,
    paint: (tone, text) => styleText(STYLES[tone], text, { stream }),
  };
}
