import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { pruneEvents } from '../../db/prune-events.ts';
import { withStore } from '../with-store.ts';

/** `events prune`: removes the events that are beyond PODUP_EVENT_RETENTION and PODUP_EVENT_MAX_ROWS. */
export function pruneLog(
  { dryRun }: { readonly dryRun?: boolean },
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withStore(environment, (store, settings) => {
    const retention = { maxAgeMs: settings.eventRetentionMs, maxRows: settings.eventMaxRows };
    const nowMs = Date.now();
    if (dryRun) {
      const count = store.events.countExpired(retention, nowMs);
      process.stdout.write(`${count} events would be removed.\n`);
      return EXIT.ok;
    }
    const { removed } = pruneEvents(store, retention, nowMs, Number.MAX_SAFE_INTEGER);
    process.stdout.write(`${removed} events removed.\n`);
    return EXIT.ok;
  });
}
