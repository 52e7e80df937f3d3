/** One challenge of a `WWW-Authenticate` header; scheme and parameter names in lower case. */
export type Challenge = {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
};

// RFC 9110 §11.6.1: challenges and their parameters stand in one comma-separated list, so what an element is can only
// be told from its form. No two ways through an expression start alike, so that reading stays linear.
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const SEPARATOR = /[ \t,]*/y;
const PARAMETER = new RegExp(
  `(${TOKEN})[ \\t]*=[ \\t]*(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)")(?=[ \\t,]|$)`,
  'y',
);
const SCHEME = new RegExp(`(${TOKEN})(?=[ \\t,]|$)`, 'y');
const TOKEN68 = /[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;

/**
 * Reads a `WWW-Authenticate` header, several of them joined by commas (RFC 9110 §11.6.1): quoted strings with commas
 * and escapes, any case, any number of challenges. Of a repeated parameter the first counts. Undefined when it does
 * not follow the grammar.
 */
export function parseChallenges(header: string): readonly Challenge[] | undefined {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };
  for (take(SEPARATOR); at < header.length; take(SEPARATOR)) {
    const parameter = take(PARAMETER);
    if (parameter) {
      const challenge = challenges.at(-1);
      if (!challenge) return undefined;
      addParameter(challenge.parameters, parameter);
      continue;
    }
    const scheme = take(SCHEME)?.[1];
    if (scheme === undefined) return undefined;
    challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    take(TOKEN68);
  }
  return challenges.length === 0 ? undefined : challenges;
}

function addParameter(parameters: Map<string, string>, match: RegExpExecArray): void {
  const name = (match[1] ?? '').toLowerCase();
  const value = match[2] ?? (match[3] ?? '').replaceAll(/\\(.)/g, '$1');
  if (!parameters.has(name)) parameters.set(name, value);
}
