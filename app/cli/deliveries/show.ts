import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import type { DeliveryDetailView } from '../../api/delivery-views.ts';
import type { Calling } from '../call-note.ts';
import { callService } from '../call-service.ts';
import { printForeign, printJson } from '../output/say.ts';

/** `deliveries show ID`. */
export async function showDelivery(
  id: string,
  { json }: { readonly json?: boolean },
  calling: Calling,
): Promise<ExitCode> {
  const answer = await callService(calling, { path: `/api/deliveries/${encodeURIComponent(id)}` });
  if (!answer.isGood) return answer.exit;
  if (json) printJson(answer.body);
  else printForeign(describe(answer.body as DeliveryDetailView));
  return EXIT.ok;
}

function describe(one: DeliveryDetailView): string {
  const { body, task } = one;
  const lines: readonly (readonly [string, string | null])[] = [
    ['Delivery', `${one.id}, ${one.event} ${one.delivery}`],
    ['Received', `${one.received_at} from ${one.remote_address}, ${one.path}`],
    ['Sender', one.hook === null ? one.source : `${one.source}, hook ${one.hook}`],
    ['Unit', one.unit || null],
    ['Image', one.image && [one.image, one.digest].filter(Boolean).join(' ')],
    ['Verdict', [one.verdict, one.reason].filter(Boolean).join(': ')],
    ['', one.meaning],
    ['', one.detail],
    ['Superseded', one.superseded_by && `by ${one.superseded_by}`],
    ['Task', task && `${task.task_id} ${task.status}`],
    ['Replay of', one.replay_of && `${one.replay_of}, by ${one.replayed_by}`],
    ['Replayed as', one.replays.join(', ') || null],
    ['Others', one.others.map(({ unit, verdict }) => `${unit} ${verdict}`).join(', ') || null],
    ['Body', `${body.bytes} bytes, sha256 ${body.sha256}${body.kept ? '' : ', not kept'}`],
  ];
  const shown = lines.flatMap(([name, value]) => (value ? [`${name.padEnd(12)}${value}`] : []));
  return [...shown, ...(body.text === null ? [] : ['', body.text])].join('\n');
}
