import { milliseconds, type Setting } from './setting.ts';
import {
  parsed,
  parseGithubHooks,
  parseWebUrl,
  SECRET_ALLOWED,
  secretText,
} from './setting-values.ts';

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
  githubToken: {
    variable: 'PODUP_GITHUB_TOKEN',
    schema: secretText,
    allowed: SECRET_ALLOWED,
    about:
      'A token of GitHub with the permission Webhooks (read and write), by which failed deliveries are asked for again. Sent to PODUP_GITHUB_API_URL alone. Unset: GitHub is not asked.',
    secret: true,
  },
  githubApiUrl: {
    variable: 'PODUP_GITHUB_API_URL',
    schema: parsed(parseWebUrl),
    fallback: 'https://api.github.com',
    allowed: 'a URL with https, or http to a loopback address',
    about:
      'The API of GitHub, or of a GitHub Enterprise Server, that is asked for failed deliveries.',
  },
  githubHooks: {
    variable: 'PODUP_GITHUB_HOOKS',
    schema: parsed(parseGithubHooks),
    fallback: '',
    allowed:
      'OWNER/REPO/HOOK_ID or orgs/ORG/HOOK_ID, separated by commas or white space, at most 100',
    about:
      'Hooks of GitHub whose failed deliveries are asked for again, beside those that have delivered to this host before.',
  },
} as const satisfies Record<string, Setting<unknown>>;
