import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { HooksView } from '../api/info-views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson } from './output/say.ts';
import { findScreen, type Tone } from './output/screen.ts';
import { formatTable } from './output/table.ts';

const HEAD = ['UNIT', 'GOES TO', 'LAST', 'STATUS', 'SIGNATURE'];
const HOOK_HEAD = ['HOOK', 'SENDER', 'GOES TO', 'STATE', 'LAST USED', 'VERDICT'];
const TONES: Readonly<Record<string, Tone>> = {
  ...{ good: 'good', bad: 'bad', ready: 'good' },
  ...{ disabled: 'bad', expired: 'bad', 'key-missing': 'bad', 'without-secret': 'bad' },
};

/** `hooks list`: the webhook of each unit that one may update, and the hooks that were made for senders. */
export async function listHooks(
  { json }: { readonly json?: boolean },
  calling: Calling,
): Promise<ExitCode> {
  const answer = await callService(calling, { path: '/api/webhooks/status' });
  if (!answer.isGood) return answer.exit;
  const view = answer.body as HooksView;
  if (json) {
    printJson(view);
    return EXIT.ok;
  }
  if (view.units.length === 0) print('No unit may be updated by a webhook.');
  else {
    const rows = view.units.map(toRow);
    print(formatTable(rows, { head: HEAD, screen: findScreen(), tone: (cell) => TONES[cell] }));
  }
  if (view.hooks.length > 0) {
    const rows = view.hooks.map(toHookRow);
    print('');
    print(
      formatTable(rows, { head: HOOK_HEAD, screen: findScreen(), tone: (cell) => TONES[cell] }),
    );
  }
  if (!view.secret_configured) {
    process.stderr.write(
      'warning: PODUP_GH_WEBHOOK_SECRET is not set, so what is sent to the path of a unit is refused.\n',
    );
  }
  return EXIT.ok;
}

function toRow(hook: HooksView['units'][number]): string[] {
  const { unit, webhook_url: url, webhook_path: path, last_ts: at, last_status: status } = hook;
  const last = at === null ? 'never' : formatTime(at);
  const { hmac_ok: isGood, hmac_last_error: error } = hook;
  const signature = isGood === null ? '' : isGood ? 'good' : (error ?? 'bad');
  return [unit, url ?? path, last, status === null ? '' : String(status), signature];
}

function toHookRow(hook: HooksView['hooks'][number]): string[] {
  const { name, title, url, path, state, last_used_at: at, last_verdict: verdict } = hook;
  return [name, title, url ?? path, state, at === null ? 'never' : formatTime(at), verdict ?? ''];
}
