import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { CheckDoneView, CheckedUnitView, UpdateChecksView } from '../api/check-views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';

/** Options of `units check`. */
export type CheckOptions = { readonly all?: boolean; readonly json?: boolean };

/** Options of `units updates`. */
export type UpdatesOptions = { readonly status?: string; readonly json?: boolean };

const PATH = '/api/update-checks';

/** `units check UNIT… | --all`: has the service look now. */
export async function checkUnits(
  names: readonly string[],
  { all, json }: CheckOptions,
  calling: Calling,
): Promise<ExitCode> {
  if ((names.length === 0) === !all) {
    process.stderr.write('Name the units to look at, or say --all.\n');
    return EXIT.usage;
  }
  const body = all ? { all: true } : { units: names };
  const answer = await callService(calling, { path: PATH, body });
  if (!answer.isGood) return answer.exit;
  const done = answer.body as CheckDoneView;
  if (json) return printJson(done);
  printChecks(done);
  const { asked, failed, duration_ms: ms } = done;
  const unanswered = failed === 0 ? '' : `, ${failed} without an answer`;
  process.stdout.write(`${asked} tags asked for${unanswered}, ${(ms / 1_000).toFixed(1)} s.\n`);
  return EXIT.ok;
}

/** `units updates`: what the last look has found. */
export async function showUpdates(
  { status, json }: UpdatesOptions,
  calling: Calling,
): Promise<ExitCode> {
  const query = status === undefined ? '' : `?${new URLSearchParams({ status })}`;
  const answer = await callService(calling, { path: `${PATH}${query}` });
  if (!answer.isGood) return answer.exit;
  if (json) return printJson(answer.body);
  printChecks(answer.body as UpdateChecksView);
  return EXIT.ok;
}

function printChecks({ checks, registries }: UpdateChecksView): void {
  if (checks.length === 0) process.stdout.write('Nothing has been looked for yet.\n');
  for (const check of checks) process.stdout.write(`${formatCheck(check)}\n`);
  for (const { host, paused_until: until, limit, remaining } of registries) {
    const left = limit === null ? '' : `${host} allows ${remaining} of ${limit} requests. `;
    const paused = until === null ? '' : `${host} is left alone until ${until}.`;
    if (left !== '' || paused !== '') process.stdout.write(`${left}${paused}\n`);
  }
}

function formatCheck({ unit, image, update }: CheckedUnitView): string {
  const { status, error, higher, stale, last_known: before } = update;
  const [newest] = higher?.tags ?? [];
  return [
    `${status.padEnd(20)}  ${unit}  ${image ?? ''}`,
    ...(newest === undefined ? [] : [`  there is ${newest}`]),
    ...(error === null ? [] : [`  ${error.code}: ${error.sentence} ${error.detail} ${error.hint}`]),
    ...(before === null ? [] : [`  before that it was ${before}`]),
    ...(stale && error === null ? ['  that was long ago'] : []),
  ].join('\n');
}

function printJson(body: unknown): ExitCode {
  process.stdout.write(`${JSON.stringify(body)}\n`);
  return EXIT.ok;
}
