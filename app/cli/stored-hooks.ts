import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { parseTimeSpan } from '../../shared/contract/time-span.ts';
import type { HookWithSecretView, StoredHookView } from '../api/hook-views.ts';
import type { Calling } from './call-note.ts';
import { callService, type ServiceAnswer } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson } from './output/say.ts';

/** What a hook is described with; what is not named stays as it is. */
export type HookOptions = {
  readonly json?: boolean;
  readonly source?: string;
  readonly scheme?: string;
  readonly allow?: readonly string[];
  readonly unit?: readonly string[];
  readonly from?: readonly string[];
  readonly registry?: string;
  readonly builds?: string;
  readonly action?: string;
  readonly expires?: string;
};

type Json = { readonly json?: boolean };

/** What stands for an empty list, and for nothing. */
const ANY = 'any';
const NONE = 'none';
const NEVER = 'never';

/** `hooks show NAME`. */
export async function showHook(name: string, { json }: Json, calling: Calling): Promise<ExitCode> {
  return tell(await callService(calling, { path: pathOf(name) }), json);
}

/** `hooks create NAME`: shows its secret this once. */
export async function createHook(
  name: string,
  options: HookOptions,
  calling: Calling,
): Promise<ExitCode> {
  const { source, scheme } = options;
  const body = { name, source, ...(scheme !== undefined && { scheme }), ...describe(options) };
  calling.note.meta = { hook: name };
  return tellSecret(await callService(calling, { path: '/api/hooks', body }), options.json);
}

/** `hooks update NAME`. */
export async function updateHook(
  name: string,
  options: HookOptions,
  calling: Calling,
): Promise<ExitCode> {
  calling.note.meta = { hook: name };
  const question = { path: pathOf(name), method: 'PATCH', body: describe(options) } as const;
  return tell(await callService(calling, question), options.json);
}

/** `hooks rotate NAME`: a new secret, shown this once. */
export async function rotateHook(
  name: string,
  { json, now = false }: Json & { readonly now?: boolean },
  calling: Calling,
): Promise<ExitCode> {
  calling.note.meta = { hook: name };
  const body = { keep_previous: !now };
  return tellSecret(await callService(calling, { path: `${pathOf(name)}/rotate`, body }), json);
}

/** `hooks revoke NAME SECRET`: it opens nothing from now on. */
export async function revokeSecret(
  name: string,
  id: string,
  { json }: Json,
  calling: Calling,
): Promise<ExitCode> {
  calling.note.meta = { hook: name, secret: id };
  const path = `${pathOf(name)}/secrets/${encodeURIComponent(id)}`;
  return tell(await callService(calling, { path, method: 'DELETE' }), json);
}

/** `hooks enable NAME`, `hooks disable NAME`. */
export async function switchHook(
  name: string,
  word: 'enable' | 'disable',
  { json }: Json,
  calling: Calling,
): Promise<ExitCode> {
  calling.note.meta = { hook: name };
  return tell(await callService(calling, { path: `${pathOf(name)}/${word}`, body: {} }), json);
}

/** `hooks delete NAME`: what it has reported stays. */
export async function deleteHook(
  name: string,
  { json }: Json,
  calling: Calling,
): Promise<ExitCode> {
  calling.note.meta = { hook: name };
  const answer = await callService(calling, { path: pathOf(name), method: 'DELETE' });
  if (!answer.isGood) return answer.exit;
  if (json) printJson({ name, deleted: true });
  else print(`${name} is removed, and its secrets with it.`);
  return EXIT.ok;
}

function pathOf(name: string): string {
  return `/api/hooks/${encodeURIComponent(name)}`;
}

function describe({ allow, unit, from, registry, builds, action, expires }: HookOptions) {
  return {
    ...(allow && { images: listOf(allow) }),
    ...(unit && { units: listOf(unit) }),
    ...(from && { networks: listOf(from) }),
    ...(registry !== undefined && { registry: registry === NONE ? null : registry }),
    ...(builds !== undefined && { image: builds === NONE ? null : builds }),
    ...(action !== undefined && { action }),
    ...(expires !== undefined && { expires_at: momentOf(expires) }),
  };
}

function listOf(words: readonly string[]): readonly string[] {
  const all = words.flatMap((word) => word.split(',')).filter((word) => word !== '');
  return all.length === 1 && all[0] === ANY ? [] : all;
}

/** A span from now on, a moment as it is, or null for never. */
function momentOf(expires: string): string | null {
  if (expires === NEVER) return null;
  const span = parseTimeSpan(expires);
  return span === undefined ? expires : new Date(Date.now() + span).toISOString();
}

function tell({ isGood, exit, body }: ServiceAnswer, json?: boolean): ExitCode {
  if (!isGood) return exit;
  if (json) printJson(body);
  else print(describeHook(body as StoredHookView).join('\n'));
  return EXIT.ok;
}

function tellSecret({ isGood, exit, body }: ServiceAnswer, json?: boolean): ExitCode {
  if (!isGood) return exit;
  if (json) {
    printJson(body);
    return EXIT.ok;
  }
  const { hook, secret } = body as HookWithSecretView;
  const { text, url, path, header } = secret;
  print(
    [
      ...describeHook(hook),
      '',
      'Set up at the sender; the secret is shown this once:',
      `  URL     ${url ?? path}`,
      `  secret  ${text}`,
      ...(header === null ? [] : [`  header  ${header}`]),
    ].join('\n'),
  );
  return EXIT.ok;
}

function describeHook(hook: StoredHookView): string[] {
  const { name, title, scheme, state, path, url, action, secrets, last_refusal: refusal } = hook;
  const used = hook.last_used_at === null ? 'never' : formatTime(hook.last_used_at);
  const came = [hook.last_verdict, hook.last_reason].filter((word) => word !== null).join(', ');
  const rows: [string, string][] = [
    ['sender', `${title}, by ${scheme}`],
    ['state', state],
    ['goes to', url ?? path],
    ['images', hook.images.join(', ') || ANY],
    ['units', hook.units.join(', ') || 'all that webhooks may deploy'],
    ['called from', hook.networks.join(', ') || 'anywhere'],
    ...(hook.registry === null ? [] : [['registry', hook.registry] as [string, string]]),
    ...(hook.image === null ? [] : [['builds', hook.image] as [string, string]]),
    ['does', action === 'deploy' ? 'deploys' : 'only looks for updates'],
    ['until', hook.expires_at === null ? NEVER : formatTime(hook.expires_at)],
    ['last used', came === '' ? used : `${used} (${came})`],
    ...(refusal
      ? [
          [
            'last refusal',
            `${formatTime(refusal.at)} from ${refusal.remote_address ?? '-'}: ${refusal.sentence}`,
          ] as [string, string],
        ]
      : []),
    ...secrets.map(({ id, created_at, last_used_at, opens }): [string, string] => [
      'secret',
      `${id} of ${formatTime(created_at)}, ${last_used_at === null ? 'never used' : `last used ${formatTime(last_used_at)}`}${opens ? '' : ', cannot be opened here'}`,
    ]),
  ];
  const width = Math.max(...rows.map(([word]) => word.length));
  return [name, ...rows.map(([word, value]) => `  ${word.padEnd(width)}  ${value}`)];
}
