import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { type Identity, lastingIdentity } from '../access/identity.ts';
import { ADMIN_ACCESS } from '../domain/access.ts';

/** Tells whom a proxy names; undefined where none names anybody. */
export type ForwardAuth = (request: IncomingMessage) => Outcome<Identity> | undefined;

/** How a proxy says who asks. */
export type ForwardAuthParts = {
  /** The header, and the value that it has for admins. */
  readonly header: string;
  readonly adminValue: string;
  /** Another header, with the name of the person; without it everybody is `admin`, for the value is a secret of the settings. */
  readonly nicknameHeader?: string | undefined;
  /** Whether an address is that of a proxy. Anybody can send a header; what it is worth says who is at the other end. */
  readonly isTrusted: (address: string | undefined) => boolean;
};

/** FORWARD_AUTH_UNTRUSTED where somebody else sends the header, FORWARD_AUTH_REFUSED where it has another value. */
export function createForwardAuth(parts: ForwardAuthParts): ForwardAuth {
  const { nicknameHeader, isTrusted } = parts;
  const header = parts.header.toLowerCase();
  const expected = digest(parts.adminValue);
  return ({ headers, socket }) => {
    const value = headers[header];
    if (value === undefined || value === '') return undefined;
    // Of the connection itself: what X-Forwarded-For says of it can be said by anybody.
    if (!isTrusted(socket.remoteAddress)) return fail('FORWARD_AUTH_UNTRUSTED', '');
    // One that came twice is joined by now (RFC 9110 §5.3), and fits nothing.
    if (!timingSafeEqual(digest(String(value)), expected)) return fail('FORWARD_AUTH_REFUSED', '');
    const said = nicknameHeader && headers[nicknameHeader.toLowerCase()];
    const name = `person:${toName(said) ?? 'admin'}`;
    return succeed(
      lastingIdentity({ name, by: 'forward-auth', access: ADMIN_ACCESS, isAmbient: true }),
    );
  };
}

/** What can stand in a line of a record; headers are Latin-1 to Node, and UTF-8 to most who write them. */
function toName(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = Buffer.from(value, 'latin1').toString('utf8');
  const name = text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return name === '' ? undefined : name.slice(0, 100);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
