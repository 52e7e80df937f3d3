/**
 * The variables that hold a secret of this program, older names too. They stand here beside the table of the settings, which
 * the supervisor does not load; a test holds both together.
 */
export const SECRET_VARIABLES = [
  'PODUP_TOKEN',
  'PODUP_MANUAL_TOKEN',
  'PODUP_FWD_AUTH_ADMIN_VALUE',
  'PODUP_GH_WEBHOOK_SECRET',
  'PODUP_GH_WEBHOOK_SECRET_PREVIOUS',
  'PODUP_GITHUB_TOKEN',
  'PODUP_HOOK_KEY',
  'PODUP_METRICS_TOKEN',
  'PODUP_RELEASE_TOKEN',
  'WEBHOOK_TOKEN',
  'WEBHOOK_MANUAL_TOKEN',
  'GITHUB_WEBHOOK_SECRET',
] as const;

/** An environment without those, and without the names of files that hold them; but for one that is needed. */
export function withoutSecrets<T extends Readonly<Record<string, string | undefined>>>(
  environment: T,
  kept?: (typeof SECRET_VARIABLES)[number],
): T {
  const rest: Record<string, string | undefined> = { ...environment };
  for (const name of SECRET_VARIABLES) {
    if (name === kept) continue;
    delete rest[name];
    delete rest[`${name}_FILE`];
  }
  return rest as T;
}
