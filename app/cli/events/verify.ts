import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { fail, formatFailure } from '../../../shared/contract/outcome.ts';
import type { EventVerification } from '../../db/verify-events.ts';
import { printJson } from '../output/say.ts';
import { withStore } from '../with-store.ts';

type Options = { readonly head?: string; readonly json?: boolean };

/** `events verify`: says whether the log is as it was written, with the head to be noted, or names the first fault. */
export function verifyLog(
  { head, json }: Options,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withStore(environment, (store) => {
    const found = store.events.verify(head);
    if (json) printJson(toView(found));
    else process.stdout.write(describe(found));
    if (!found.fault) return EXIT.ok;
    const { failure } = fail('EVENT_CHAIN_BROKEN', found.fault.detail);
    process.stderr.write(`${formatFailure(failure)}\n`);
    return EXIT.failure;
  });
}

function toView({ fault, verified, unchained, chain }: EventVerification) {
  return {
    ok: fault === null,
    fault,
    verified,
    unchained,
    head: chain && { id: chain.headId, hash: chain.headHash },
    kept_rows: chain?.keptRows ?? null,
    removed_rows: chain?.removedRows ?? null,
    removed_at: chain?.removedAt ? new Date(chain.removedAt).toISOString() : null,
  };
}

function describe({ fault, verified, unchained, chain }: EventVerification): string {
  const lines = [`${verified} events ${fault ? 'fit before the first fault' : 'fit'}.`];
  if (unchained > 0) lines.push(`${unchained} older ones have no hash: nothing is known of them.`);
  if (chain?.removedAt) {
    const at = new Date(chain.removedAt).toISOString();
    lines.push(`${chain.removedRows} were removed by retention, last at ${at}.`);
  }
  if (chain && !fault) lines.push(`Head: ${chain.headHash} (event ${chain.headId})`);
  return `${lines.join('\n')}\n`;
}
