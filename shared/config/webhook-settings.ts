import { milliseconds, type Setting } from './setting.ts';

/** What is done about webhooks beside taking them in. */
export const WEBHOOK_SETTINGS = {
  webhookWindowMs: milliseconds(
    'PODUP_WEBHOOK_WINDOW_MS',
    { fallback: 1_000, min: 0, max: 600_000 },
    'So long a deployment that a webhook asks for waits for further ones of the same unit and image: one push is several events. Those share it, and the newest digest wins.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
