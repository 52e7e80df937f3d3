import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { readTimerRuns, type TimerRun } from '../domain/timer-runs.ts';
import { explainManager } from './systemctl.ts';

const TIMEOUT_MS = 20_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** What the journal has of the runs of podman's timer (`unit`) since a moment of the wall clock. */
export async function listTimerRuns(
  run: RunCommand,
  unit: string,
  sinceMs: number,
): Promise<Outcome<readonly TimerRun[]>> {
  const result = await run({
    argv: [
      ...(['journalctl', '--user', `--unit=${unit}`, '--quiet', '--no-pager'] as const),
      `--since=@${Math.floor(sinceMs / 1000)}`,
      '--output=json',
      '--output-fields=MESSAGE,PODMAN_EVENT,_SYSTEMD_INVOCATION_ID',
    ],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  return isSuccess(result) ? succeed(readTimerRuns(result.stdout)) : explainManager(result);
}
