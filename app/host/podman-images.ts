import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  type CommandResult,
  formatEnd,
  isSuccess,
  type RunCommand,
} from '../../shared/process/run-command.ts';
import { type PodmanCall, parsePodmanJson, podmanPath, queryPodman, runPodman } from './podman.ts';

/** A local image. */
export type LocalImage = {
  readonly id: string;
  readonly digest: string;
  /** Every `repository@digest` under which it is known: of the index as well as of the platform's manifest. */
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
};

/** podman looks at all images to find one, and stumbles over another that just comes or goes. */
const HALF_THERE = /locating (?:item named|image with ID)/;
const LOOKS = 4;

/** A local image by any of its names; undefined where there is none. */
export async function inspectImage(
  run: RunCommand,
  name: string,
): Promise<Outcome<LocalImage | undefined>> {
  const called = await lookForImage(run, {
    args: ['image', 'inspect', '--', name],
    request: { method: 'GET', path: podmanPath(['images', name, 'json']) },
    isPrivate: true,
  });
  if (!called.ok) return called;
  // podman says 125 both for "no such image" and for its own troubles; the message tells them apart.
  const { stderr } = called.value;
  const isAbsent = /no such image|image not known/.test(stderr) && !HALF_THERE.test(stderr);
  if (isAbsent) return succeed(undefined);
  if (!isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  const parsed = parsePodmanJson(called.value.stdout);
  if (!parsed.ok) return parsed;
  // The API describes the one image, the command a list of them.
  const [image] = [parsed.value as InspectedImage | readonly InspectedImage[]].flat();
  if (!image) return succeed(undefined);
  return succeed({
    id: image.Id,
    digest: image.Digest,
    repoDigests: image.RepoDigests ?? [],
    sizeBytes: image.Size ?? 0,
  });
}

async function lookForImage(run: RunCommand, call: PodmanCall): Promise<Outcome<CommandResult>> {
  for (let tries = 1; ; tries++) {
    const called = await runPodman(run, call);
    const isHalfThere = called.ok && HALF_THERE.test(called.value.stderr);
    if (!isHalfThere || tries === LOOKS) return called;
  }
}

/** The same, with PODMAN_FAILED where podman does not say. */
async function lookAtImages(run: RunCommand, call: PodmanCall): Promise<Outcome<CommandResult>> {
  const called = await lookForImage(run, call);
  if (!called.ok || isSuccess(called.value)) return called;
  return fail('PODMAN_FAILED', formatEnd(called.value));
}

type NamedImage = { readonly id: string; readonly names: readonly string[] };

/**
 * Local images that have a name which fits a pattern (podman-images(1), `reference`), with that and perhaps others of
 * their names. podman looks into each image that it lists: the narrower the better.
 */
export async function listImageNames(
  run: RunCommand,
  pattern: string,
): Promise<Outcome<readonly NamedImage[]>> {
  const filters = JSON.stringify({ reference: [pattern] });
  const listed = await lookAtImages(run, {
    args: [
      ...['image', 'ls', '--no-trunc', '--format', '{{.ID}} {{.Repository}}:{{.Tag}}'],
      ...['--filter', `reference=${pattern}`],
    ],
    request: { method: 'GET', path: podmanPath(['images', 'json'], { filters }) },
  });
  if (!listed.ok) return listed;
  const { end, stdout } = listed.value;
  return end.kind === 'answered' ? readListed(stdout) : succeed(readLines(stdout));
}

function readListed(json: string): Outcome<readonly NamedImage[]> {
  const listed = parsePodmanJson(json);
  if (!listed.ok) return listed;
  const images = listed.value as { Id: string; RepoTags?: readonly string[] | null }[];
  return succeed(images.map(({ Id: id, RepoTags: names }) => ({ id, names: names ?? [] })));
}

function readLines(text: string): readonly NamedImage[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [id = '', name = ''] = line.split(' ');
    return { id: id.replace(/^sha256:/, ''), names: [name] };
  });
}

/** The id of a local image by a whole name, with tag or digest; undefined where there is none. */
export async function findImageId(
  run: RunCommand,
  name: string,
): Promise<Outcome<string | undefined>> {
  // The command fails where there is no such image, and a list does not.
  const found = await lookAtImages(run, {
    args: ['image', 'ls', '--quiet', '--no-trunc', '--filter', `reference=${name}`],
    request: { method: 'GET', path: podmanPath(['images', name, 'json']) },
    isPrivate: true,
  });
  if (!found.ok) return found;
  const { end, stdout } = found.value;
  if (end.kind !== 'answered') {
    const [id] = stdout.split('\n').filter((line) => line !== '');
    return succeed(id?.replace(/^sha256:/, ''));
  }
  if (end.status === 404) return succeed(undefined);
  const described = parsePodmanJson(stdout);
  return described.ok ? succeed((described.value as InspectedImage).Id) : described;
}

/** Whether there is a local image by any of its names. */
export async function hasImage(run: RunCommand, name: string): Promise<Outcome<boolean>> {
  const called = await lookForImage(run, {
    args: ['image', 'exists', '--', name],
    request: { method: 'GET', path: podmanPath(['images', name, 'exists']) },
  });
  if (!called.ok) return called;
  const { end } = called.value;
  if (end.kind === 'answered' && end.status === 404) return succeed(false);
  if (isSuccess(called.value)) return succeed(true);
  // podman-image-exists(1): 1 says that there is none, 125 that it could not look.
  if (end.kind === 'exited' && end.code === 1) return succeed(false);
  return fail('PODMAN_FAILED', formatEnd(called.value));
}

/** A name with a tag as the API wants it. */
function splitName(name: string): { readonly repo: string; readonly tag: string } {
  const colon = name.lastIndexOf(':');
  return { repo: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** Gives a local image one more name. TAG_FAILED where podman refuses to; PODMAN_FAILED where nobody knows. */
export async function tagImage(
  run: RunCommand,
  image: string,
  name: string,
): Promise<Outcome<void>> {
  const called = await runPodman(run, {
    args: ['tag', image, name],
    request: { method: 'POST', path: podmanPath(['images', image, 'tag'], splitName(name)) },
  });
  if (!called.ok) return called;
  if (isSuccess(called.value)) return succeed(undefined);
  // Who was ended in the middle may have given the name before.
  const isRefused = ['exited', 'answered'].includes(called.value.end.kind);
  return fail(isRefused ? 'TAG_FAILED' : 'PODMAN_FAILED', formatEnd(called.value));
}

/**
 * Takes one name from a local image, and the image itself where that was its last one and no container uses it. What
 * is still used stays.
 */
export async function dropImageName(run: RunCommand, name: string): Promise<Outcome<void>> {
  const called = await runPodman(run, {
    args: ['image', 'rm', '--', name],
    request: { method: 'DELETE', path: podmanPath(['images', name]) },
  });
  if (!called.ok) return called;
  if (isSuccess(called.value)) return succeed(undefined);
  // In use: podman then keeps the name as well, which it gives up without the image.
  const untagged = await runPodman(run, {
    args: ['untag', name, name],
    request: { method: 'POST', path: podmanPath(['images', name, 'untag'], splitName(name)) },
  });
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

type InspectedImage = {
  readonly Id: string;
  readonly Digest: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly Size?: number;
};

async function queryOk(run: RunCommand, args: readonly string[]): Promise<string | undefined> {
  const queried = await queryPodman(run, args);
  return queried.ok ? queried.value : undefined;
}
