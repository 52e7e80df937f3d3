import type { Logger } from 'pino';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import {
  type Failure,
  formatFailure,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';
import type { UpdateAnswer } from '../../shared/contract/update-request.ts';
import { type AskSupervisor, newUpdateRequest } from '../updates/ask-supervisor.ts';

/** What asking for an update needs. */
export type AskParts = {
  readonly dryRun: boolean;
  readonly ask: AskSupervisor;
  readonly log: Logger;
  /** Told what came of each run. */
  readonly onRun?: (asked: Outcome<UpdateAnswer>) => void;
};

/** What keeps a run back until something else happens: no news when it does so again. */
const REFUSALS: readonly ErrorCode[] = [
  'UPDATE_IN_PROGRESS',
  'UPDATE_ON_HOLD',
  'UPDATE_UNAVAILABLE',
  'UPDATE_RECORD_NEWER',
];

/** The scheduled self-update: asks the supervisor for one, and says what it answered. */
export function createSelfUpdateCall(parts: AskParts): () => Promise<Outcome<string>> {
  const report = createReport(parts.log);
  return async () => {
    const by = { dryRun: parts.dryRun, by: 'schedule' };
    const asked = await parts.ask(newUpdateRequest('run', 'cron', by));
    parts.onRun?.(asked);
    report(asked.ok ? undefined : asked.failure);
    if (!asked.ok) return asked;
    return succeed(asked.value.txn === null ? 'asked for' : `asked for: ${asked.value.txn}`);
  };
}

/** Says how each run began; the same refusal once, until a run is taken again. */
function createReport(log: Logger): (failure: Failure | undefined) => void {
  const said = new Set<ErrorCode>();
  return (failure) => {
    if (!failure) {
      said.clear();
      log.info('a scheduled self-update has begun');
      return;
    }
    const { code } = failure;
    const isRefusal = REFUSALS.includes(code);
    if (isRefusal && said.has(code)) return;
    said.add(code);
    log[isRefusal ? 'info' : 'warn'](
      { code },
      `no scheduled self-update: ${formatFailure(failure)}`,
    );
  };
}
