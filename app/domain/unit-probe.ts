import { splitWords } from './split-words.ts';
import type { Probe } from './unit-policy.ts';

/** Characters. */
const MAX_LENGTH = 4_096;

/**
 * Reads `http://…` or `https://…` (without user and password), `tcp:HOST:PORT` (IPv6 in brackets; they are taken off) or
 * `exec:/PATH ARGUMENT…`, which is an argument list and never goes through a shell. At most 4096 characters.
 * Undefined for anything else.
 */
export function parseProbe(raw: string): Probe | undefined {
  if (raw.length > MAX_LENGTH) return undefined;
  if (raw.startsWith('tcp:')) return parseTcp(raw.slice(4));
  if (raw.startsWith('exec:')) return parseExec(raw.slice(5));
  return parseHttp(raw);
}

function parseTcp(raw: string): Probe | undefined {
  const { name, address, digits } =
    /^(?:(?<name>[A-Za-z0-9][\w.-]{0,252})|\[(?<address>[0-9A-Fa-f:.]{2,45})\]):(?<digits>\d{1,5})$/.exec(
      raw,
    )?.groups ?? {};
  const host = name ?? address;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  if (address !== undefined && URL.parse(`tcp://[${address}]`) === null) return undefined;
  return { kind: 'tcp', host, port };
}

function parseExec(raw: string): Probe | undefined {
  const [program, ...args] = splitWords(raw) ?? [];
  // A bare name would be looked up in a PATH that the unit does not know.
  return program?.startsWith('/') ? { kind: 'exec', argv: [program, ...args] } : undefined;
}

function parseHttp(raw: string): Probe | undefined {
  // The parser of URLs passes over blanks and missing slashes.
  const url = /^https?:\/\/\S+$/i.test(raw) ? URL.parse(raw) : null;
  if (!url || url.username || url.password) return undefined;
  return { kind: 'http', url: url.href };
}
