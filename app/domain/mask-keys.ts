/**
 * `password=…`, `API_TOKEN: …`, `"client_secret": "…"`, `Authorization: Bearer …`: a key that is secret by its name, as programs
 * print it. What follows up to the end of the word, the quotation or, for a header, the line is its value.
 */
const SECRET_KEY =
  /((?:^|[\s"'`,;?&{([])["'`]?[\w.-]{0,60}?(?:passw(?:or)?d|pwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|auth)(?:[-_.][\w.-]{1,30})?["'`]?\s{0,3}[=:]\s{0,3})(?!\[masked\]|\[redacted\])("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|["'][^\n]*|[^\s"',;&}\])]+)/gi;
const HEADER =
  /((?:^|[\s"'`])(?:proxy-)?(?:authorization|cookie|set-cookie)["'`]?\s{0,3}[:=]\s{0,3})([^\r\n]+)/gi;
/** `scheme://user:password@host`. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,200}:)([^\s/@]{1,500})(?=@)/gi;

/**
 * Hides in what a program printed the values that stand beside a key which is secret by its name. Best effort: who prints
 * a secret without its name is not understood.
 */
export function maskKeys(text: string): string {
  return text
    .replaceAll(HEADER, '$1[masked]')
    .replaceAll(SECRET_KEY, '$1[masked]')
    .replaceAll(USER_INFO, '$1[masked]');
}
