import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import type { ReplayedView } from '../../api/delivery-views.ts';
import type { Calling } from '../call-note.ts';
import { callService } from '../call-service.ts';
import { printForeign, printJson } from '../output/say.ts';

/** `deliveries replay ID`. */
export async function replayDelivery(
  id: string,
  { json }: { readonly json?: boolean },
  calling: Calling,
): Promise<ExitCode> {
  const path = `/api/deliveries/${encodeURIComponent(id)}/replay`;
  const answer = await callService(calling, { path, body: {} });
  if (!answer.isGood) return answer.exit;
  if (json) printJson(answer.body);
  else printForeign(describe(answer.body as ReplayedView));
  return EXIT.ok;
}

function describe({ deliveries }: ReplayedView): string {
  const lines = deliveries.map(({ delivery, unit, verdict, reason }) =>
    [delivery, unit, verdict, reason].filter(Boolean).join(' '),
  );
  return lines.join('\n');
}
