import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { AttentionItemView, AttentionView } from '../api/attention-views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson } from './output/say.ts';

type Options = { readonly json?: boolean };

/** `attention list`: everything that wants a person. Ends with 0 whatever that is: it is a list, not a check. */
export async function showAttention({ json }: Options, calling: Calling): Promise<ExitCode> {
  const answer = await callService(calling, { path: '/api/attention' });
  if (!answer.isGood) return answer.exit;
  const view = answer.body as AttentionView;
  if (json) printJson(view);
  else if (view.items.length === 0) print('Nothing wants a person.');
  else {
    print(view.items.map(describe).join('\n\n'));
    if (!view.complete) print('\nThere is more than is told here.');
  }
  return EXIT.ok;
}

/** `attention seen ID`. */
export async function markSeen(id: string, { json }: Options, calling: Calling): Promise<ExitCode> {
  const answer = await callService(calling, { path: '/api/attention/seen', body: { id } });
  if (!answer.isGood) return answer.exit;
  const { at, by } = answer.body as { readonly at: string; readonly by: string };
  if (json) printJson(answer.body);
  else print(`Seen by ${by} at ${formatTime(at)}.`);
  return EXIT.ok;
}

function describe({ id, severity, unit, message, detail, since, action, seen }: AttentionItemView) {
  const what = [severity, unit, message].filter((part) => part !== null && part !== '');
  return [
    what.join(' '),
    ...(detail === '' ? [] : [`  ${detail}`]),
    `  since ${formatTime(since)}${seen ? `, seen by ${seen.by}` : ''}`,
    `  ${action.hint}`,
    ...(action.command === null ? [] : [`  ${action.command}`]),
    `  id: ${id}`,
  ]
    .map((line) => line.replaceAll(/\p{Cc}/gu, ' '))
    .join('\n');
}
