import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { type Guarded, isPlainPath, planGuards, serviceFiles } from '../domain/timer-guard.ts';
import { runPodman } from './podman.ts';
import { readUnit } from './read-unit.ts';
import { explainManager, reloadManager } from './systemctl.ts';

/** A unit whose image is in quarantine; `guard` is the file that keeps the timer off it already. */
export type QuarantinedUnit = {
  readonly unit: string;
  readonly image: string;
  readonly guard: string | null;
};

const TIMEOUT_MS = 10_000;

/**
 * Keeps podman's own timer off `units`, and lets go of every other file in `written`. May be repeated. A unit that the
 * timer does not update has no guard. The guard of each unit that has one; PODMAN_FAILED or USER_MANAGER_UNAVAILABLE
 * where one could not be written.
 */
export async function keepTimerOff(
  run: RunCommand,
  units: readonly QuarantinedUnit[],
  written: readonly string[],
): Promise<Outcome<ReadonlyMap<string, string>>> {
  // A unit that fails waits for this: what can be asked at once is.
  const [guarded, host] = await Promise.all([findUpdated(run, units), readHost(run)]);
  if (!guarded.ok) return guarded;
  if (!host.ok) return host;
  const { podmanMajor, folders, registriesConf } = host.value;
  const { files, ofUnit } = planGuards(guarded.value, podmanMajor, folders, registriesConf);
  const changed = await layFiles(run, files, [...written, ...serviceFiles(folders)]);
  if (!changed.ok) return changed;
  // A file that is there but in no record may be one that a crash kept from being read.
  const isRecorded = (name: string) =>
    units.find(({ unit }) => unit === name)?.guard === ofUnit.get(name);
  if (changed.value || ![...ofUnit.keys()].every(isRecorded)) {
    const reloaded = await reloadManager(run);
    if (!isSuccess(reloaded)) return explainManager(reloaded);
  }
  return succeed(ofUnit);
}

/** Those of the units that the timer updates, or would without the guard that is there. */
async function findUpdated(
  run: RunCommand,
  units: readonly QuarantinedUnit[],
): Promise<Outcome<readonly Guarded[]>> {
  const found: Guarded[] = [];
  const readings = await Promise.all(units.map(({ unit }) => readUnit(run, unit)));
  for (const [index, read] of readings.entries()) {
    const asked = units[index];
    if (!read.ok && read.failure.code !== 'UNIT_NOT_FOUND') return read;
    if (!read.ok || !asked || !(read.value.isAutoUpdated || asked.guard !== null)) continue;
    found.push({ unit: asked.unit, image: asked.image, sourcePath: read.value.sourcePath });
  }
  return succeed(found);
}

/** Writes the files, and removes those of `written` that are not among them; whether anything has changed. */
async function layFiles(
  run: RunCommand,
  files: ReadonlyMap<string, string>,
  written: readonly string[],
): Promise<Outcome<boolean>> {
  const surplus = [...new Set(written)].filter((path) => !files.has(path));
  const steps = [
    ...[...files].map(([path, text]) => [WRITE, path, text] as const),
    ...surplus.map((path) => [REMOVE, path] as const),
  ];
  let isChanged = false;
  for (const done of await Promise.all(
    steps.map(([text, ...args]) => script(run, text, ...args)),
  )) {
    if (!done.ok) return done;
    isChanged ||= done.value.startsWith('changed');
  }
  return succeed(isChanged);
}

async function readHost(run: RunCommand) {
  const [version, environment, config] = await Promise.all([
    runPodman(run, { args: ['--version'] }),
    run({
      argv: ['systemctl', '--user', 'show-environment'],
      timeoutMs: TIMEOUT_MS,
      // It may hold what the user has given all services: tokens, a proxy with a password.
      isPrivate: true,
    }),
    script(run, CONFIG_HOME),
  ]);
  if (!version.ok) return version;
  if (!isSuccess(environment)) return explainManager(environment);
  if (!config.ok) return config;
  const isSystem = environment.argv[1] === '--system';
  const home = isSystem ? '/etc' : config.value.trim();
  if (!isPlainPath(home)) return fail('PODMAN_FAILED', `${home} cannot stand in a unit file.`);
  const [, named] = /^CONTAINERS_REGISTRIES_CONF=(.+)$/m.exec(environment.stdout) ?? [];
  return succeed({
    podmanMajor: Number(/version (\d+)\./.exec(version.value.stdout)?.[1] ?? 0),
    folders: {
      units: isSystem ? '/etc/systemd/system' : `${home}/systemd/user`,
      containers: `${home}/containers`,
    },
    registriesConf: named !== undefined && isPlainPath(named) ? named : undefined,
  });
}

const CONFIG_HOME = `printf %s "\${XDG_CONFIG_HOME:-$HOME/.config}"`;
/** Replaced as a whole, and only where it is another text. */
const WRITE = `set -e
if [ -f "$1" ] && [ "$(cat "$1"; echo x)" = "$2
x" ]; then exit 0; fi
mkdir -p "$(dirname "$1")"
new=$(mktemp "$1.XXXXXX")
chmod 644 "$new"
printf '%s\\n' "$2" > "$new"
sync "$new"
mv -f "$new" "$1"
echo changed`;
const REMOVE = `set -e
[ -e "$1" ] || exit 0
rm -f "$1"
rmdir "$(dirname "$1")" 2>/dev/null || true
echo changed`;

/** A script of ours; what it is told are arguments, never a part of it. */
async function script(
  run: RunCommand,
  text: string,
  ...args: readonly string[]
): Promise<Outcome<string>> {
  const result = await run({ argv: ['sh', '-c', text, 'sh', ...args], timeoutMs: TIMEOUT_MS });
  return isSuccess(result) ? succeed(result.stdout) : fail('TIMER_NOT_KEPT_OFF', formatEnd(result));
}
