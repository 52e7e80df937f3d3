/** A quoted or bare piece of a word, blanks between words, or what is none of them. */
const PIECES =
  /(?<blanks>\s+)|"(?<double>(?:[^"\\]|\\[\s\S])*)"|'(?<single>(?:[^'\\]|\\[\s\S])*)'|(?<bare>(?:[^\s"'\\]|\\[\s\S])+)|(?<rest>[\s\S])/g;

/** One or more bytes written as `\xNN` or `\NNN`, or another escape. */
const ESCAPES = /(?<bytes>(?:\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2})+)|\\(?<character>[\s\S])/g;
const LETTERS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  s: ' ',
  t: '\t',
  v: '\v',
};

/**
 * Splits a line into words as systemd does (systemd.service(5), Quoting): single and double quotes, and C escapes in
 * and outside of them; nothing is expanded. Undefined for an open quote, an escape that does not exist, bytes that are
 * not UTF-8, and a NUL, which no argument can hold.
 */
export function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (const { groups = {} } of line.matchAll(PIECES)) {
    if (groups['blanks'] !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const piece = readEscapes(groups['double'] ?? groups['single'] ?? groups['bare']);
    if (piece === undefined) return undefined;
    word = (word ?? '') + piece;
  }
  return word === undefined ? words : [...words, word];
}

function readEscapes(piece: string | undefined): string | undefined {
  let isFaulty = piece === undefined;
  const text = piece?.replaceAll(ESCAPES, (...match) => {
    const { bytes, character } = match.at(-1) as Record<string, string | undefined>;
    const found = bytes === undefined ? unescapeCharacter(character) : decodeBytes(bytes);
    if (found === undefined) isFaulty = true;
    return found ?? '';
  });
  return isFaulty || text?.includes('\0') ? undefined : text;
}

function unescapeCharacter(character = ''): string | undefined {
  // What is no letter or digit stands for itself: \" \' \\ \$ and a blank.
  return /[A-Za-z0-9]/.test(character) ? LETTERS[character] : character;
}

function decodeBytes(escapes: string): string | undefined {
  const octal = /\\([0-3][0-7]{2})/g;
  const hexadecimal = (_: string, digits: string) =>
    `%${Number.parseInt(digits, 8).toString(16).padStart(2, '0')}`;
  try {
    return decodeURIComponent(escapes.replaceAll('\\x', '%').replaceAll(octal, hexadecimal));
  } catch {
    return undefined;
  }
}
