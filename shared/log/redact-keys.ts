import { REDACTED } from './mask-secrets.ts';

/**
 * A key whose value is secret, as it stands in a line of JSON. A quotation mark inside a string is escaped there, so
 * this never matches within a value.
 */
const SECRET_KEY =
  /"(?:[\w-]{0,40}(?:authorization|cookie|token|secret|password|signature)|x-hub-signature[\w-]{0,40})":/gi;

const STRING = '"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"';
const FLAT_VALUE = new RegExp(`${STRING}|[^,{}[\\]]+`, 'y');
const STRING_OR_BRACKET = new RegExp(`${STRING}|[[\\]{}]`, 'g');

/**
 * Replaces the values of secret keys at any depth of a line of JSON. Done on the line and not by pino's `redact`,
 * which knows fixed depths and exact spellings only and makes each line about fifteen times as dear.
 */
export function redactKeys(line: string): string {
  let redacted = '';
  let from = 0;
  for (const match of line.matchAll(SECRET_KEY)) {
    if (match.index < from) continue;
    const valueAt = match.index + match[0].length;
    redacted += `${line.slice(from, valueAt)}"${REDACTED}"`;
    from = endOfValue(line, valueAt);
  }
  return redacted + line.slice(from);
}

/** The index after the JSON value that begins at `start`. */
function endOfValue(line: string, start: number): number {
  FLAT_VALUE.lastIndex = start;
  if (FLAT_VALUE.test(line)) return FLAT_VALUE.lastIndex;
  STRING_OR_BRACKET.lastIndex = start;
  let depth = 0;
  do {
    const [token] = STRING_OR_BRACKET.exec(line) ?? [];
    if (token === undefined) return line.length;
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
  } while (depth > 0);
  return STRING_OR_BRACKET.lastIndex;
}
