import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { fail } from '../../shared/contract/outcome.ts';
import { parseTimeSpan } from '../../shared/contract/time-span.ts';
import type { NewTokenView, TokensView, TokenView } from '../api/token-views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson, sayFailure } from './output/say.ts';
import { findScreen, type Tone } from './output/screen.ts';
import { formatTable } from './output/table.ts';

type Options = { readonly json?: boolean };

/** What `tokens create` takes. */
export type CreateOptions = Options & {
  readonly scope: readonly string[];
  readonly expires?: string;
};

const HEAD = ['NAME', 'STATE', 'SCOPES', 'CREATED', 'EXPIRES', 'LAST USED'];
const TONES: Readonly<Record<string, Tone>> = { valid: 'good', expired: 'bad', revoked: 'bad' };
const URL = '/api/tokens';

/** `tokens list`: all of them with their last use. */
export async function listTokens({ json }: Options, calling: Calling): Promise<ExitCode> {
  const answer = await callService(calling, { path: URL });
  if (!answer.isGood) return answer.exit;
  const view = answer.body as TokensView;
  if (json) {
    printJson(view);
    return EXIT.ok;
  }
  const rows = [...view.settings.map(toFixedRow), ...view.tokens.map(toRow)];
  if (rows.length === 0) print('There is no token yet.');
  else print(formatTable(rows, { head: HEAD, screen: findScreen(), tone: (cell) => TONES[cell] }));
  return EXIT.ok;
}

/** `tokens create`: the token alone goes to stdout, so that a script can keep it. */
export async function createToken(
  name: string,
  { json, scope, expires }: CreateOptions,
  calling: Calling,
): Promise<ExitCode> {
  const span = expires === undefined ? undefined : parseTimeSpan(expires);
  if (expires !== undefined && !span) {
    const detail = `--expires: ${expires.slice(0, 100)} is no time span such as 90d.`;
    sayFailure(fail('REQUEST_INVALID', detail).failure, json === true);
    return EXIT.usage;
  }
  const expires_at = span === undefined ? null : new Date(Date.now() + span).toISOString();
  calling.note.meta = { token: name.slice(0, 100), scopes: scope.slice(0, 20), expires_at };
  const body = { name, scopes: scope, expires_at };
  const answer = await callService(calling, { path: URL, body });
  if (!answer.isGood) return answer.exit;
  const made = answer.body as NewTokenView;
  if (json) printJson(made);
  else {
    print(made.token);
    process.stderr.write('It is shown this once; send it as Authorization: Bearer TOKEN.\n');
  }
  return EXIT.ok;
}

/** `tokens revoke`. */
export async function revokeToken(
  name: string,
  { json }: Options,
  calling: Calling,
): Promise<ExitCode> {
  calling.note.meta = { token: name.slice(0, 100) };
  const path = `${URL}/${encodeURIComponent(name)}`;
  const answer = await callService(calling, { path, method: 'DELETE' });
  if (!answer.isGood) return answer.exit;
  if (json) printJson(answer.body);
  else print(`${name} is revoked, and every session that was begun with it has ended.`);
  return EXIT.ok;
}

function toFixedRow({ variable, scopes }: TokensView['settings'][number]): string[] {
  return [variable, 'valid', scopes.join(' '), 'settings', '', ''];
}

function toRow(token: TokenView): string[] {
  const { name, state, scopes, created_at, expires_at, last_used_at, last_used_from } = token;
  const used = last_used_at === null ? 'never' : formatTime(last_used_at);
  return [
    ...[name, state, scopes.join(' '), formatTime(created_at)],
    expires_at === null ? 'never' : formatTime(expires_at),
    last_used_from === null ? used : `${used} from ${last_used_from}`,
  ];
}
