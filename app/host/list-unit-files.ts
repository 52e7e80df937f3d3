import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { splitWords } from '../domain/split-words.ts';
import type { UnitFiles } from './read-unit-policy.ts';
import { explainManager } from './systemctl.ts';

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Of one command, which may not become too long. */
const UNITS_AT_ONCE = 500;

/** The files of many units as systemd has loaded them, by their names; one that it does not know is left out. */
export async function listUnitFiles(
  run: RunCommand,
  units: readonly string[],
): Promise<Outcome<ReadonlyMap<string, UnitFiles>>> {
  const files = new Map<string, UnitFiles>();
  for (let at = 0; at < units.length; at += UNITS_AT_ONCE) {
    const listed = await listSome(run, units.slice(at, at + UNITS_AT_ONCE));
    if (!listed.ok) return listed;
    for (const [unit, ofUnit] of listed.value) files.set(unit, ofUnit);
  }
  return succeed(files);
}

async function listSome(
  run: RunCommand,
  units: readonly string[],
): Promise<Outcome<readonly (readonly [string, UnitFiles])[]>> {
  const properties = ['Id', 'FragmentPath', 'DropInPaths'].map((name) => `--property=${name}`);
  const result = await run({
    argv: ['systemctl', '--user', 'show', ...properties, '--', ...units],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  if (!isSuccess(result)) return explainManager(result);
  if (result.stdoutDropped > 0) return fail('USER_MANAGER_UNAVAILABLE', 'It lists too many files.');
  // One paragraph a unit, in the order of the question: by an alias the first name is told.
  const paragraphs = result.stdout.trim().split('\n\n');
  return succeed(
    units.flatMap((unit, at) => {
      const text = paragraphs[at] ?? '';
      // A path alone is printed as it is, a list of them with quotes and escapes.
      const fragmentPath = /^FragmentPath=(.*)$/m.exec(text)?.[1] ?? '';
      const dropInPaths = splitWords(/^DropInPaths=(.*)$/m.exec(text)?.[1] ?? '') ?? [];
      const isKnown = fragmentPath !== '' || dropInPaths.length > 0;
      return isKnown ? [[unit, { fragmentPath, dropInPaths }] as const] : [];
    }),
  );
}
