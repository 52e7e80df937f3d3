import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { type ImageReference, parseImageReference } from '../domain/image-reference.ts';
import {
  findKubePlay,
  findRunImage,
  isAutoUpdated,
  isInPod,
  pullsAtEachStart,
} from '../domain/podman-run-image.ts';
import { unitPath } from './bus-name.ts';
import { explainManager } from './systemctl.ts';

/** What the user manager says of a service unit. */
export type UnitReading = {
  /** The first of its names, which its containers carry. */
  readonly name: string;
  readonly activeState: string;
  readonly subState: string;
  /** Result of the last run: `success`, `exit-code`, `timeout`, … (systemd.service(5)). */
  readonly result: string;
  readonly mainPid: number;
  /** The unit file changed and `systemctl --user daemon-reload` has not been run. */
  readonly needsReload: boolean;
  /** It asks the registry at each start, whatever lies here (podman-run(1), `--pull`). */
  readonly pullsItself: boolean;
  /** podman's own timer may update it. */
  readonly isAutoUpdated: boolean;
  /** What makes several containers at once, of which not one image can be told: `podman kube play`; null elsewhere. */
  readonly playsKube: string | null;
  /** Its container is in a pod (podman-run(1), `--pod`, `--pod-id-file`). */
  readonly isInPod: boolean;
  /** The file that a generator, such as Quadlet, has made it from; empty where it is its own. */
  readonly sourcePath: string;
  /** The unit file that systemd has loaded. */
  readonly fragmentPath: string;
  /** Its drop-ins, in the order in which systemd applies them. */
  readonly dropInPaths: readonly string[];
  readonly bindsTo: readonly string[];
  readonly requires: readonly string[];
  /** The image of the loaded start command; undefined where it cannot be told. */
  readonly image: ImageReference | undefined;
};

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 256 * 1024;
const SYSTEMD = 'org.freedesktop.systemd1';

/**
 * Reads a unit over the bus of the user manager, since only there the start command comes as an argument list, the
 * one that the next restart will really use. UNIT_NOT_FOUND where systemd has no such unit.
 */
export async function readUnit(run: RunCommand, unit: string): Promise<Outcome<UnitReading>> {
  const [general, service] = await Promise.all([
    getProperties(run, unit, 'Unit', [
      'Id',
      'LoadState',
      'ActiveState',
      'SubState',
      'NeedDaemonReload',
      'SourcePath',
      'FragmentPath',
      'BindsTo',
      'Requires',
      'DropInPaths',
    ]),
    getProperties(run, unit, 'Service', ['Result', 'MainPID', 'ExecStart']),
  ]);
  if (!general.ok) return general;
  const [id, loadState, activeState, subState, needsReload, ...others] = general.value;
  const [sourcePath, fragmentPath, bindsTo, requires, dropInPaths] = others;
  if (loadState === 'not-found') return fail('UNIT_NOT_FOUND', `Unit ${unit}.`);
  if (!service.ok) return service;
  const [result, mainPid, execStart] = service.value;
  const commands = listCommands(execStart);
  return succeed({
    name: String(id),
    activeState: String(activeState),
    subState: String(subState),
    result: String(result),
    mainPid: Number(mainPid),
    needsReload: needsReload === true,
    image: findImage(commands),
    isAutoUpdated: commands.some(isAutoUpdated),
    pullsItself: commands.some(pullsAtEachStart),
    playsKube: commands.map(findKubePlay).find((play) => play !== undefined) ?? null,
    isInPod: commands.some(isInPod),
    sourcePath: textOf(sourcePath),
    fragmentPath: textOf(fragmentPath),
    dropInPaths: listNames(dropInPaths),
    bindsTo: listNames(bindsTo),
    requires: listNames(requires),
  });
}

async function getProperties(
  run: RunCommand,
  unit: string,
  face: 'Unit' | 'Service',
  names: readonly string[],
): Promise<Outcome<readonly unknown[]>> {
  const [path, whole] = [unitPath(unit), `${SYSTEMD}.${face}`];
  const result = await run({
    argv: ['busctl', '--user', '--json=short', 'get-property', SYSTEMD, path, whole, ...names],
    manager: { kind: 'get', unit, face, names },
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    // A start command may set variables of its container: `podman run --env PASSWORD=…`.
    isPrivate: names.includes('ExecStart'),
  });
  if (!isSuccess(result)) return explainManager(result);
  try {
    const lines = result.stdout.trim().split('\n');
    return succeed(lines.map((line) => (JSON.parse(line) as { data: unknown }).data));
  } catch {
    return fail('USER_MANAGER_UNAVAILABLE', 'busctl printed something that is not JSON.');
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listNames(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}

function findImage(commands: readonly (readonly string[])[]): ImageReference | undefined {
  for (const argv of commands) {
    const text = findRunImage(argv);
    if (text !== undefined) return parseImageReference(text);
  }
  return undefined;
}

/** `ExecStart` is `a(sasbttttuii)`: path, argument list, and so on; a service may have several. */
function listCommands(execStart: unknown): readonly (readonly string[])[] {
  if (!Array.isArray(execStart)) return [];
  return (execStart as unknown[])
    .map((command) => (Array.isArray(command) ? (command[1] as unknown) : undefined))
    .filter((argv): argv is string[] => {
      return Array.isArray(argv) && argv.every((word) => typeof word === 'string');
    });
}
