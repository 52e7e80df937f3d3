import { milliseconds, type Setting } from './setting.ts';
import { parsed } from './setting-values.ts';

/** What is done about webhooks beside taking them in. */
export const WEBHOOK_SETTINGS = {
  webhookWindowMs: milliseconds(
    'PODUP_WEBHOOK_WINDOW_MS',
    { fallback: 1_000, min: 0, max: 600_000 },
    'So long a deployment that a webhook asks for waits for further ones of the same unit and image: one push is several events. Those share it, and the newest digest wins.',
  ),
  hookKey: {
    variable: 'PODUP_HOOK_KEY',
    schema: parsed((raw) => (/^[0-9a-f]{64}$/i.test(raw) ? raw : undefined)),
    allowed: '64 hexadecimal digits, as openssl rand -hex 32 prints them',
    about:
      'The key by which secrets of hooks are sealed in the database that senders sign with. Unset: data/hook.key in the state directory, which is made when it is needed first. No backup of the database has it.',
    secret: true,
  },
  hookToleranceMs: milliseconds(
    'PODUP_HOOK_TOLERANCE_MS',
    { fallback: 300_000, min: 1_000, max: 86_400_000 },
    'How far the time in a delivery that is signed by Standard Webhooks may be from that of this host, both ways. What is older may be a recording.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
