import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { parseInstance } from '../domain/unit-template.ts';

const TIMEOUT_MS = 20_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Where distributions have the generator (podman-systemd.unit(5)); none of them is not a fault of the unit. */
const DRY_RUN = `for quadlet in /usr/libexec/podman/quadlet /usr/lib/podman/quadlet /usr/local/libexec/podman/quadlet; do
  [ -x "$quadlet" ] && exec "$quadlet" "$@"
done
exit 127`;

/**
 * Has Quadlet make its units once more without writing them, and looks whether that of `unit` is among them.
 * QUADLET_INVALID with what the generator says of the file where it is not.
 */
export async function checkQuadlet(
  run: RunCommand,
  unit: string,
  sourcePath: string,
  isSystem: boolean,
): Promise<Outcome<void>> {
  const result = await run({
    argv: ['sh', '-c', DRY_RUN, 'sh', '-dryrun', '-no-kmsg-log', ...(isSystem ? [] : ['-user'])],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    // What it prints are the units of the host, with the variables of their containers.
    isPrivate: true,
  });
  if (result.end.kind !== 'exited' || result.end.code === 127) return succeed(undefined);
  // An instance is made of the unit of its template.
  const made = parseInstance(unit)?.template ?? unit;
  const isThere = [unit, made].some((name) => result.stdout.includes(`---${name}---`));
  if (isThere || result.stdoutDropped > 0) return succeed(undefined);
  const file = sourcePath.slice(sourcePath.lastIndexOf('/') + 1);
  const said = result.stderr
    .split('\n')
    .filter((line) => line.includes(file) && !/ Loading /.test(line));
  return fail('QUADLET_INVALID', `${sourcePath}: ${said.join(' ').slice(0, 500)}`);
}
