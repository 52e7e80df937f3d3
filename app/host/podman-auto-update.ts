import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import {
  type AutoUpdateRow,
  findReasons,
  isKeptOff,
  parseAutoUpdateReport,
} from '../domain/podman-auto-update.ts';
import { explainUnreachable } from './explain-unreachable.ts';

/** What `podman auto-update` has come to. */
export type AutoUpdateReport = {
  readonly rows: readonly AutoUpdateRow[];
  /** Why, by the id of a container, as far as podman says. */
  readonly reasons: ReadonlyMap<string, string>;
  /** What went wrong that no row tells of; null: nothing. */
  readonly trouble: string | null;
};

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const QUICK_MS = 10_000;

/**
 * Puts together what podman is to read about registries while repositories are kept off because an image of theirs is in
 * quarantine (see `planGuards`), as the service of the timer does for itself. Prints its path, or nothing where none is.
 */
const JOIN = `set -e
if [ "$1" = system ]; then base=/etc; else base=\${XDG_CONFIG_HOME:-$HOME/.config}; fi
list=$base/containers/podup-quarantine.conf
[ -s "$list" ] || exit 0
f=\${CONTAINERS_REGISTRIES_CONF:-$base/containers/registries.conf}
[ -e "$f" ] || f=/etc/containers/registries.conf
out=\${XDG_RUNTIME_DIR:-/run}/podup-registries-run.conf
new=$(mktemp "$out.XXXXXX")
{ cat "$f" 2>/dev/null || true; echo; cat "$list"; } > "$new"
mv -f "$new" "$out"
printf %s "$out"`;

/**
 * Runs podman's own update of all containers that carry its label, or only looks what it would do: then nothing is pulled
 * and nothing is restarted. Repositories that are kept off its timer are kept off here, too. Fails with PODMAN_UNAVAILABLE and
 * AUTO_UPDATE_FAILED; what podman says of single containers is no failure of this.
 */
export async function runAutoUpdate(
  run: RunCommand,
  options: { readonly isDryRun: boolean; readonly isSystem: boolean; readonly timeoutMs: number },
): Promise<Outcome<AutoUpdateReport>> {
  const { isDryRun, isSystem, timeoutMs } = options;
  const scope = isSystem ? 'system' : 'user';
  const joined = await run({ argv: ['sh', '-c', JOIN, 'sh', scope], timeoutMs: QUICK_MS });
  if (!isSuccess(joined)) {
    return explainUnreachable(joined) ?? fail('TIMER_NOT_KEPT_OFF', formatEnd(joined));
  }
  const conf = joined.stdout.trim();
  const words = ['podman', 'auto-update', ...(isDryRun ? ['--dry-run'] : []), '--format', 'json'];
  const [file, ...args] =
    conf === '' ? words : ['env', `CONTAINERS_REGISTRIES_CONF=${conf}`, ...words];
  const result = await run({
    argv: [file ?? 'podman', ...args],
    timeoutMs,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  const unreachable = explainUnreachable(result);
  if (unreachable) return unreachable;
  if (result.end.kind === 'not-started') return fail('PODMAN_UNAVAILABLE', formatEnd(result));
  const rows = parseAutoUpdateReport(result.stdout);
  if (!rows || result.end.kind !== 'exited') return fail('AUTO_UPDATE_FAILED', formatEnd(result));
  const reasons = findReasons(result.stderr);
  const isTold = rows.some(({ updated }) => updated === 'failed');
  const trouble = isSuccess(result) || isTold ? null : formatEnd(result);
  // podman before 5 says the same of its own accord.
  const said = rows.map((row) =>
    isKeptOff(reasons.get(row.containerId)) ? { ...row, updated: 'false' } : row,
  );
  return succeed({ rows: said, reasons, trouble });
}
