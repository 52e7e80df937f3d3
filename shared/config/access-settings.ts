import * as z from 'zod';
import { parseTimeSpan } from '../contract/time-span.ts';
import { parseAddressRanges } from './address-ranges.ts';
import type { Setting } from './setting.ts';
import { FLAG_ALLOWED, parsed, parseFlag, SECRET_ALLOWED, secretText } from './setting-values.ts';

const SESSION_ALLOWED = 'a time span such as 30min, 12h or 7d, 1min to 90d';

/** Who may call what. */
export const ACCESS_SETTINGS = {
  adminToken: {
    variable: 'PODUP_TOKEN',
    schema: secretText,
    allowed: SECRET_ALLOWED,
    about:
      'The first token of the API, for everything; it works without the database, too. See docs/access.md.',
    secret: true,
  },
  manualToken: {
    variable: 'PODUP_MANUAL_TOKEN',
    schema: secretText,
    allowed: SECRET_ALLOWED,
    about: 'A token with which every unit may be deployed, and nothing else.',
    secret: true,
  },
  forwardAuthHeader: {
    variable: 'PODUP_FWD_AUTH_HEADER',
    schema: parsed(parseHeaderName),
    allowed: 'the name of a header',
    about:
      'The header in which a proxy says who has signed in there. It needs PODUP_FWD_AUTH_ADMIN_VALUE and PODUP_TRUSTED_PROXIES.',
  },
  forwardAuthAdminValue: {
    variable: 'PODUP_FWD_AUTH_ADMIN_VALUE',
    schema: z.string().min(1).max(1000),
    allowed: '1 to 1000 characters',
    about: 'What that header says of an admin.',
    secret: true,
  },
  forwardAuthNicknameHeader: {
    variable: 'PODUP_FWD_AUTH_NICKNAME_HEADER',
    schema: parsed(parseHeaderName),
    allowed: 'the name of a header',
    about: 'The header in which the proxy names the person, for the record.',
  },
  trustedProxies: {
    variable: 'PODUP_TRUSTED_PROXIES',
    schema: parsed(parseAddressRanges),
    fallback: '',
    allowed: 'addresses and ranges such as 127.0.0.1, 10.0.0.0/8 or fd00::/8, separated by commas',
    about:
      'The proxies that are believed who calls: of ForwardAuth, X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host. Unset: none is.',
  },
  sessionIdleMs: {
    variable: 'PODUP_SESSION_IDLE',
    schema: parsed(parseSessionSpan),
    fallback: '12h',
    allowed: SESSION_ALLOWED,
    about: 'After so long without a request somebody who has signed in has to do so again.',
  },
  sessionMaxMs: {
    variable: 'PODUP_SESSION_MAX',
    schema: parsed(parseSessionSpan),
    fallback: '7d',
    allowed: SESSION_ALLOWED,
    about: 'And after so long in any case.',
  },
  profile: {
    variable: 'PODUP_ENV',
    schema: z.string().min(1).max(100),
    fallback: 'production',
    allowed: 'a word; dev, development and demo open the API on a loopback address',
    about: 'What this installation is for. Other words than those mean nothing.',
  },
  openAdmin: {
    variable: 'PODUP_DEV_OPEN_ADMIN',
    schema: parsed(parseFlag),
    allowed: FLAG_ALLOWED,
    about:
      'Whether everybody on this host may do everything without a credential. Only PODUP_HTTP_ADDR on a loopback address and no PODUP_TRUSTED_PROXIES allow that. Unset: as PODUP_ENV says.',
  },
} as const satisfies Record<string, Setting<unknown>>;

const OPEN_PROFILES = ['dev', 'development', 'demo'];

/** Whether everybody is let in. */
export function isOpenMode(settings: { readonly profile: string; readonly openAdmin?: boolean }) {
  return settings.openAdmin ?? OPEN_PROFILES.includes(settings.profile.trim().toLowerCase());
}

function parseSessionSpan(raw: string): number | undefined {
  const ms = parseTimeSpan(raw);
  return ms !== undefined && ms >= 60_000 && ms <= 90 * 86_400_000 ? ms : undefined;
}

function parseHeaderName(raw: string): string | undefined {
  const name = raw.trim().toLowerCase();
  // A token of RFC 9110 §5.6.2; not one that means something else here.
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/.test(name)) return undefined;
  return ['authorization', 'cookie', 'host', 'content-length'].includes(name) ? undefined : name;
}
