import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { CommandResult, RunCommand } from '../../shared/process/run-command.ts';
import { findRunImage } from '../domain/podman-run-image.ts';
import { splitWords } from '../domain/split-words.ts';
import { parseInstance } from '../domain/unit-template.ts';

const TIMEOUT_MS = 20_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Where distributions have the generator (podman-systemd.unit(5)); none of them is not a fault of the unit. */
const DRY_RUN = `for quadlet in /usr/libexec/podman/quadlet /usr/lib/podman/quadlet /usr/local/libexec/podman/quadlet; do
  [ -x "$quadlet" ] && exec "$quadlet" "$@"
done
exit 127`;

/** A unit that Quadlet has made. */
export type QuadletUnit = {
  readonly unit: string;
  /** Its `.container` file. */
  readonly sourcePath: string;
  /** The unit file that systemd has loaded, as Quadlet wrote it at the last daemon-reload. */
  readonly fragmentPath: string;
};

/**
 * Has Quadlet make its units once more without writing them, and looks whether that of `unit` is among them and runs the
 * same image as the one that systemd has loaded. Fails with QUADLET_INVALID, with what the generator says of the file, and
 * with UNIT_NEEDS_RELOAD: of the drop-ins of Quadlet's files systemd itself knows nothing.
 */
export async function checkQuadlet(
  run: RunCommand,
  { unit, sourcePath, fragmentPath }: QuadletUnit,
  isSystem: boolean,
): Promise<Outcome<void>> {
  const made = await makeAgain(run, isSystem);
  if (!made) return succeed(undefined);
  const text = findMade(unit, made.stdout);
  if (text === undefined) {
    if (made.stdoutDropped > 0) return succeed(undefined);
    const said = explain(nameOfFile(sourcePath), made.stderr).join(' ');
    return fail('QUADLET_INVALID', `${sourcePath}: ${said.slice(0, 500)}`);
  }
  const loaded = await run({
    argv: ['cat', '--', fragmentPath],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    isPrivate: true,
  });
  const [before, now] = [findImage(loaded.stdout), findImage(text)];
  if (before === undefined || now === undefined || before === now) return succeed(undefined);
  return fail('UNIT_NEEDS_RELOAD', `It was loaded with ${before}; its files say ${now} now.`);
}

/**
 * Why systemd does not know a unit, where that is because Quadlet refuses its file: QUADLET_INVALID. Null where Quadlet
 * says nothing of such a file.
 */
export async function explainMissing(
  run: RunCommand,
  unit: string,
  isSystem: boolean,
): Promise<Failure | null> {
  const made = await makeAgain(run, isSystem);
  if (!made || findMade(unit, made.stdout) !== undefined) return null;
  const file = templateOf(unit).replace(/\.service$/, '.container');
  const said = explain(file, made.stderr);
  if (said.length === 0) return null;
  return fail('QUADLET_INVALID', `${file}: ${said.join(' ').slice(0, 500)}`).failure;
}

async function makeAgain(run: RunCommand, isSystem: boolean): Promise<CommandResult | undefined> {
  const result = await run({
    argv: ['sh', '-c', DRY_RUN, 'sh', '-dryrun', '-no-kmsg-log', ...(isSystem ? [] : ['-user'])],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    // What it prints are the units of the host, with the variables of their containers.
    isPrivate: true,
  });
  return result.end.kind === 'exited' && result.end.code !== 127 ? result : undefined;
}

/** What a dry run has made of a unit: behind a line `---NAME---`, up to the next one. */
function findMade(unit: string, made: string): string | undefined {
  // An instance is made of the unit of its template.
  for (const name of [unit, templateOf(unit)]) {
    const start = made.indexOf(`---${name}---\n`);
    if (start === -1) continue;
    const [, text] = made.slice(start).split(/^---.+---$/m);
    return text;
  }
  return undefined;
}

function templateOf(unit: string): string {
  return parseInstance(unit)?.template ?? unit;
}

function findImage(text: string): string | undefined {
  const command = /^ExecStart=(.+)$/m.exec(text)?.[1];
  return command === undefined ? undefined : findRunImage(splitWords(command) ?? []);
}

function nameOfFile(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What the generator says of a file and no other, as it names them: behind a slash, or in quotes. */
function explain(file: string, said: string): string[] {
  const names = [`/${file}`, `"${file}"`, ` ${file}`];
  return said
    .split('\n')
    .filter((line) => names.some((name) => line.includes(name)) && !/ Loading /.test(line));
}
