import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  type CommandResult,
  formatEnd,
  isSuccess,
  type RunCommand,
} from '../../shared/process/run-command.ts';

/** A container of a unit and the image it runs. */
export type UnitContainer = {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  readonly imageName: string;
  readonly imageId: string;
  /** The digest that the image had when the container was made. */
  readonly imageDigest: string;
};

/** A local image. */
export type LocalImage = {
  readonly id: string;
  readonly digest: string;
  /** Every `repository@digest` under which it is known: of the index as well as of the platform's manifest. */
  readonly repoDigests: readonly string[];
};

const QUERY_TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Runs one podman command, arguments as a list. */
export type PodmanCall = {
  readonly args: readonly string[];
  readonly timeoutMs?: number;
  /** See `Command`. */
  readonly isPrivate?: boolean;
};

/** Runs podman; PODMAN_UNAVAILABLE where it cannot even be started, else what it came to. */
export async function runPodman(
  run: RunCommand,
  call: PodmanCall,
): Promise<Outcome<CommandResult>> {
  const result = await run({
    argv: ['podman', ...call.args],
    timeoutMs: call.timeoutMs ?? QUERY_TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    isPrivate: call.isPrivate === true,
  });
  if (result.end.kind === 'not-started') return fail('PODMAN_UNAVAILABLE', formatEnd(result));
  return succeed(result);
}

/** The registries that podman is configured with, as `podman info` resolves all its files. */
export async function readRegistries(run: RunCommand): Promise<Outcome<unknown>> {
  return queryJson(run, ['info', '--format', '{{json .Registries}}']);
}

/** The containers that carry the label of the unit, running or not. */
export async function listUnitContainers(
  run: RunCommand,
  unit: string,
): Promise<Outcome<readonly UnitContainer[]>> {
  const filter = `label=PODMAN_SYSTEMD_UNIT=${unit}`;
  const listed = await query(run, ['ps', '--all', '--quiet', '--no-trunc', '--filter', filter]);
  if (!listed.ok) return listed;
  const ids = listed.value.split(/\s+/).filter((id) => id !== '');
  if (ids.length === 0) return succeed([]);
  // The whole description carries the environment of the container, and with it its secrets.
  const called = await runPodman(run, { args: ['container', 'inspect', ...ids], isPrivate: true });
  if (!called.ok) return called;
  // One that has ended since the first question is no container of the unit any more; the others are printed all the same.
  const isGone = /no such container/.test(called.value.stderr);
  if (!isGone && !isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  const inspected = parseJson(called.value.stdout);
  if (!inspected.ok) return inspected;
  return succeed((inspected.value as InspectedContainer[]).map(readContainer));
}

/** A local image by any of its names; undefined where there is none. */
export async function inspectImage(
  run: RunCommand,
  name: string,
): Promise<Outcome<LocalImage | undefined>> {
  const called = await runPodman(run, { args: ['image', 'inspect', '--', name], isPrivate: true });
  if (!called.ok) return called;
  // podman says 125 both for "no such image" and for its own troubles; the message tells them apart.
  if (/no such image|image not known/.test(called.value.stderr)) return succeed(undefined);
  if (!isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  const parsed = parseJson(called.value.stdout);
  if (!parsed.ok) return parsed;
  const [image] = parsed.value as InspectedImage[];
  if (!image) return succeed(undefined);
  return succeed({ id: image.Id, digest: image.Digest, repoDigests: image.RepoDigests ?? [] });
}

type InspectedContainer = {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Status: string };
  readonly Image: string;
  readonly ImageName: string;
  readonly ImageDigest?: string;
};

type InspectedImage = {
  readonly Id: string;
  readonly Digest: string;
  readonly RepoDigests?: readonly string[] | null;
};

function readContainer(raw: InspectedContainer): UnitContainer {
  return {
    id: raw.Id,
    name: raw.Name,
    running: raw.State.Status === 'running',
    imageName: raw.ImageName,
    imageId: raw.Image,
    imageDigest: raw.ImageDigest ?? '',
  };
}

async function query(run: RunCommand, args: readonly string[]): Promise<Outcome<string>> {
  const called = await runPodman(run, { args });
  if (!called.ok) return called;
  if (!isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  return succeed(called.value.stdout);
}

async function queryJson(run: RunCommand, args: readonly string[]): Promise<Outcome<unknown>> {
  const queried = await query(run, args);
  return queried.ok ? parseJson(queried.value) : queried;
}

function parseJson(text: string): Outcome<unknown> {
  try {
    return succeed(JSON.parse(text));
  } catch {
    return fail('PODMAN_FAILED', 'podman printed something that is not JSON.');
  }
}
