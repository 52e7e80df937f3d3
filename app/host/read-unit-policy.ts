import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { splitWords } from '../domain/split-words.ts';
import { parseUnitPolicy, type UnitPolicy } from '../domain/unit-policy.ts';
import type { Host } from './host.ts';
import type { UnitReading } from './read-unit.ts';
import { explainManager } from './systemctl.ts';

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 256 * 1024;
const MAX_FILES = 64;
const MAX_FILE_BYTES = 1_048_576;

/** The files of a unit as systemd has loaded them. */
export type UnitFiles = Pick<UnitReading, 'fragmentPath' | 'dropInPaths'>;

/**
 * The policy that the unit file and the drop-ins of a unit set; `defaults` where systemd knows no file. Fails with
 * USER_MANAGER_UNAVAILABLE, and with UNIT_POLICY_INVALID also for more than 64 files, for one of more than 1 MiB and
 * for one that may not be read: what it says could be what holds a deployment back. systemd is asked for the files where
 * it has not just named them (`known`).
 */
export async function readUnitPolicy(
  host: Pick<Host, 'run' | 'readText'>,
  unit: string,
  defaults: UnitPolicy,
  known?: UnitFiles,
): Promise<Outcome<UnitPolicy>> {
  const paths = known ? succeed(listKnown(known)) : await listFiles(host.run, unit);
  if (!paths.ok) return paths;
  if (paths.value.length > MAX_FILES) {
    const detail = `${unit} has ${paths.value.length} files, more than ${MAX_FILES}.`;
    return fail('UNIT_POLICY_INVALID', detail);
  }
  const texts: string[] = [];
  for (const path of paths.value) {
    const text = await readText(host, path);
    if (!text.ok) return text;
    texts.push(text.value);
  }
  return parseUnitPolicy(texts, defaults);
}

function listKnown({ fragmentPath, dropInPaths }: UnitFiles): readonly string[] {
  return fragmentPath === '' ? dropInPaths : [fragmentPath, ...dropInPaths];
}

/** The unit file, then the drop-ins in the order in which systemd applies them. */
async function listFiles(run: RunCommand, unit: string): Promise<Outcome<readonly string[]>> {
  const result = await run({
    argv: [
      ...(['systemctl', '--user', 'show'] as const),
      ...['--property=FragmentPath', '--property=DropInPaths', '--', unit],
    ],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  if (!isSuccess(result)) return explainManager(result);
  // A path alone is printed as it is, a list of them with quotes and escapes.
  const fragment = /^FragmentPath=(.+)$/m.exec(result.stdout)?.[1];
  const dropIns = splitWords(/^DropInPaths=(.*)$/m.exec(result.stdout)?.[1] ?? '');
  const paths = [...(fragment === undefined ? [] : [fragment]), ...(dropIns ?? [])];
  if (!dropIns || result.stdoutDropped > 0 || !paths.every((path) => path.startsWith('/')))
    return fail('USER_MANAGER_UNAVAILABLE', 'systemctl printed paths that cannot be read.');
  return succeed(paths);
}

async function readText(host: Pick<Host, 'readText'>, path: string): Promise<Outcome<string>> {
  try {
    return succeed(await host.readText(path, MAX_FILE_BYTES));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'EFBIG') return fail('UNIT_POLICY_INVALID', `${path} is larger than 1 MiB.`);
    if (code === 'EHOSTUNREACH') return fail('SSH_UNREACHABLE', (error as Error).message);
    return fail('UNIT_POLICY_INVALID', `${path} cannot be read (${code}).`);
  }
}
