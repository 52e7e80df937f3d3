import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  type CommandResult,
  formatEnd,
  isSuccess,
  type RunCommand,
} from '../../shared/process/run-command.ts';
import { type PodmanCall, parsePodmanJson, queryPodman, runPodman } from './podman.ts';

/** A local image. */
export type LocalImage = {
  readonly id: string;
  readonly digest: string;
  /** Every `repository@digest` under which it is known: of the index as well as of the platform's manifest. */
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
};

/** podman looks at all images to find one, and stumbles over another that just comes or goes. */
const HALF_THERE = /locating item named/;
const LOOKS = 4;

/** A local image by any of its names; undefined where there is none. */
export async function inspectImage(
  run: RunCommand,
  name: string,
): Promise<Outcome<LocalImage | undefined>> {
  const called = await lookForImage(run, {
    args: ['image', 'inspect', '--', name],
    isPrivate: true,
  });
  if (!called.ok) return called;
  // podman says 125 both for "no such image" and for its own troubles; the message tells them apart.
  if (/no such image|image not known/.test(called.value.stderr)) return succeed(undefined);
  if (!isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  const parsed = parsePodmanJson(called.value.stdout);
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

async function lookForImage(run: RunCommand, call: PodmanCall): Promise<Outcome<CommandResult>> {
  for (let tries = 1; ; tries++) {
    const called = await runPodman(run, call);
    const isHalfThere = called.ok && HALF_THERE.test(called.value.stderr);
    if (!isHalfThere || tries === LOOKS) return called;
  }
}

/**
 * The names of local images that fit a pattern (podman-images(1), `reference`), by image id. podman looks into each image
 * that it lists, at tens of milliseconds for a few dozen: the narrower the better.
 */
export async function listImageNames(
  run: RunCommand,
  pattern: string,
): Promise<Outcome<readonly { readonly id: string; readonly names: readonly string[] }[]>> {
  const listed = await queryPodman(run, [
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
  const listed = await queryPodman(run, [
    'image',
    'ls',
    '--quiet',
    '--no-trunc',
    '--filter',
    filter,
  ]);
  if (!listed.ok) return listed;
  const [id] = listed.value.split('\n').filter((line) => line !== '');
  return succeed(id?.replace(/^sha256:/, ''));
}

/** Whether there is a local image by any of its names. */
export async function hasImage(run: RunCommand, name: string): Promise<Outcome<boolean>> {
  const called = await lookForImage(run, { args: ['image', 'exists', '--', name] });
  if (!called.ok) return called;
  const { end } = called.value;
  if (isSuccess(called.value)) return succeed(true);
  // podman-image-exists(1): 1 says that there is none, 125 that it could not look.
  if (end.kind === 'exited' && end.code === 1) return succeed(false);
  return fail('PODMAN_FAILED', formatEnd(called.value));
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
