import * as z from 'zod';
import type { Setting } from './setting.ts';
import { absolutePath, parsed, parseFlag } from './setting-values.ts';

/** How others reach this host, and what they may read. */
export const WEB_SETTINGS = {
  publicBaseUrl: {
    variable: 'PODUP_PUBLIC_BASE_URL',
    schema: parsed(parseBaseUrl),
    allowed: 'a URL with http or https, without query',
    about: 'Where GitHub reaches this host. The URLs of webhooks begin with it.',
  },
  metricsToken: {
    variable: 'PODUP_METRICS_TOKEN',
    schema: z.string().min(8).max(4096),
    allowed: '8 to 4096 characters',
    about: 'A token that opens /metrics and nothing else, for a monitor. Unset: admins only.',
    secret: true,
  },
  metricsOpen: {
    variable: 'PODUP_METRICS_OPEN',
    schema: parsed(parseFlag),
    fallback: 'off',
    allowed: '1, true, yes, on or 0, false, no, off',
    about: 'Whether /metrics is open to everybody who reaches the address.',
  },
  debugPayloadPath: {
    variable: 'PODUP_DEBUG_PAYLOAD_PATH',
    schema: absolutePath,
    allowed: 'an absolute path',
    about:
      'Where the last body with a bad signature is kept, its first 64 KiB. Unset: last_payload.bin in the state directory.',
  },
} as const satisfies Record<string, Setting<unknown>>;

function parseBaseUrl(raw: string): string | undefined {
  const url = URL.parse(raw.trim());
  if (!url || url.username || url.password || url.search || url.hash) return undefined;
  if (!/^https?:$/.test(url.protocol)) return undefined;
  return url.href.replace(/\/+$/, '');
}
