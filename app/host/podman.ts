import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  type CommandResult,
  formatEnd,
  isSuccess,
  type RunCommand,
} from '../../shared/process/run-command.ts';
import type { ContainerHealth } from '../domain/gate.ts';
import { explainUnreachable } from './explain-unreachable.ts';

/** A container of a unit, as a glance shows it. */
export type SeenContainer = {
  readonly id: string;
  readonly running: boolean;
  readonly imageName: string;
  readonly imageId: string;
  readonly health: ContainerHealth;
};

/** A container of a unit and the image it runs. */
export type UnitContainer = SeenContainer & {
  readonly name: string;
  /** The digest that the image had when the container was made. */
  readonly imageDigest: string;
};

/** A local image. */
export type LocalImage = {
  readonly id: string;
  readonly digest: string;
  /** Every `repository@digest` under which it is known: of the index as well as of the platform's manifest. */
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
};

const QUERY_TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** podman looks at all images to find one, and stumbles over another that just comes or goes. */
const HALF_THERE = /locating item named/;
const LOOKS = 4;

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
  const unreachable = explainUnreachable(result);
  if (unreachable) return unreachable;
  if (result.end.kind === 'not-started') return fail('PODMAN_UNAVAILABLE', formatEnd(result));
  return succeed(result);
}

/** The containers that carry the label of the unit, running or not, by one question: a third of what the next one costs. */
export async function seeUnitContainers(
  run: RunCommand,
  unit: string,
): Promise<Outcome<readonly SeenContainer[]>> {
  const filter = `label=PODMAN_SYSTEMD_UNIT=${unit}`;
  // The list carries their labels, which may say anything.
  const args = ['ps', '--all', '--no-trunc', '--format', 'json', '--filter', filter];
  const called = await runPodman(run, { args, isPrivate: true });
  if (!called.ok) return called;
  if (!isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  const listed = parseJson(called.value.stdout);
  return listed.ok ? succeed((listed.value as ListedContainer[]).map(readListed)) : listed;
}

/** The same with the digests of their images and their names. */
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
  const look = () => runPodman(run, { args: ['image', 'inspect', '--', name], isPrivate: true });
  let called = await look();
  for (let tries = 1; called.ok && HALF_THERE.test(called.value.stderr) && tries < LOOKS; tries++) {
    called = await look();
  }
  if (!called.ok) return called;
  // podman says 125 both for "no such image" and for its own troubles; the message tells them apart.
  if (/no such image|image not known/.test(called.value.stderr)) return succeed(undefined);
  if (!isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  const parsed = parseJson(called.value.stdout);
  if (!parsed.ok) return parsed;
  const [image] = parsed.value as InspectedImage[];
  if (!image) return succeed(undefined);
  return succeed({
    id: image.Id,
    digest: image.Digest,
    repoDigests: image.RepoDigests ?? [],
    sizeBytes: image.Size ?? 0,
  });
}

/**
 * The names of local images that fit a pattern (podman-images(1), `reference`), by image id. podman looks into each image
 * that it lists, at tens of milliseconds for a few dozen: the narrower the better.
 */
export async function listImageNames(
  run: RunCommand,
  pattern: string,
): Promise<Outcome<readonly { readonly id: string; readonly names: readonly string[] }[]>> {
  const listed = await query(run, [
    ...['image', 'ls', '--no-trunc', '--format', '{{.ID}} {{.Repository}}:{{.Tag}}'],
    ...['--filter', `reference=${pattern}`],
  ]);
  if (!listed.ok) return listed;
  const lines = listed.value.split('\n').filter((line) => line !== '');
  return succeed(
    lines.map((line) => {
      const [id = '', name = ''] = line.split(' ');
      return { id: id.replace(/^sha256:/, ''), names: [name] };
    }),
  );
}

/** The id of a local image by a whole name, with tag or digest; undefined where there is none. */
export async function findImageId(
  run: RunCommand,
  name: string,
): Promise<Outcome<string | undefined>> {
  const filter = `reference=${name}`;
  const listed = await query(run, ['image', 'ls', '--quiet', '--no-trunc', '--filter', filter]);
  if (!listed.ok) return listed;
  const [id] = listed.value.split('\n').filter((line) => line !== '');
  return succeed(id?.replace(/^sha256:/, ''));
}

/** Gives a local image one more name. TAG_FAILED where podman refuses to; PODMAN_FAILED where nobody knows. */
export async function tagImage(
  run: RunCommand,
  image: string,
  name: string,
): Promise<Outcome<void>> {
  const called = await runPodman(run, { args: ['tag', image, name] });
  if (!called.ok) return called;
  if (isSuccess(called.value)) return succeed(undefined);
  // Who was ended in the middle may have given the name before.
  const isRefused = called.value.end.kind === 'exited';
  return fail(isRefused ? 'TAG_FAILED' : 'PODMAN_FAILED', formatEnd(called.value));
}

/**
 * Takes one name from a local image, and the image itself where that was its last one and no container uses it. What
 * is still used stays.
 */
export async function dropImageName(run: RunCommand, name: string): Promise<Outcome<void>> {
  const called = await runPodman(run, { args: ['image', 'rm', '--', name] });
  if (!called.ok) return called;
  if (isSuccess(called.value)) return succeed(undefined);
  // In use: podman then keeps the name as well, which it gives up without the image.
  const untagged = await runPodman(run, { args: ['untag', name, name] });
  if (!untagged.ok) return untagged;
  if (isSuccess(untagged.value)) return succeed(undefined);
  return fail('PODMAN_FAILED', formatEnd(untagged.value));
}

/**
 * Removes a local image that no tag names and no container uses; false where one does, and where it cannot be removed.
 * Never by force: podman itself refuses what is in use.
 */
export async function removeUnnamedImage(run: RunCommand, id: string): Promise<boolean> {
  const args = ['image', 'inspect', '--format', '{{json .RepoTags}}', '--', id];
  const named = await queryOk(run, args);
  if (named === undefined || !['[]', 'null'].includes(named.trim())) return false;
  return (await queryOk(run, ['image', 'rm', '--', id])) !== undefined;
}

type ListedContainer = {
  readonly Id: string;
  readonly State: string;
  /** `Up 3 seconds (healthy)`: podman 4 and 5 say the health nowhere else in a list. */
  readonly Status: string;
  readonly Image: string;
  readonly ImageID: string;
};

type InspectedContainer = {
  readonly Id: string;
  readonly Name: string;
  /** Without a health check podman 4 leaves `Health` out or empty, and 5 says `none`. */
  readonly State: {
    readonly Status: string;
    readonly Health?: { readonly Status?: string } | null;
  };
  readonly Image: string;
  readonly ImageName: string;
  readonly ImageDigest?: string;
};

type InspectedImage = {
  readonly Id: string;
  readonly Digest: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly Size?: number;
};

function readListed(raw: ListedContainer): SeenContainer {
  return {
    id: raw.Id,
    running: raw.State === 'running',
    imageName: raw.Image,
    imageId: raw.ImageID,
    health: readHealth(/\((\w+)\)$/.exec(raw.Status)?.[1]),
  };
}

function readContainer(raw: InspectedContainer): UnitContainer {
  return {
    id: raw.Id,
    name: raw.Name,
    running: raw.State.Status === 'running',
    imageName: raw.ImageName,
    imageId: raw.Image,
    imageDigest: raw.ImageDigest ?? '',
    health: readHealth(raw.State.Health?.Status),
  };
}

function readHealth(status: string | undefined): ContainerHealth {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none';
}

async function query(run: RunCommand, args: readonly string[]): Promise<Outcome<string>> {
  const called = await runPodman(run, { args });
  if (!called.ok) return called;
  if (!isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  return succeed(called.value.stdout);
}

async function queryOk(run: RunCommand, args: readonly string[]): Promise<string | undefined> {
  const queried = await query(run, args);
  return queried.ok ? queried.value : undefined;
}

/** Asks podman for JSON; PODMAN_FAILED where it prints something else. */
export async function queryJson(
  run: RunCommand,
  args: readonly string[],
): Promise<Outcome<unknown>> {
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
