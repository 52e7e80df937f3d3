import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { formatPlatform } from '../domain/image-index.ts';
import { askPodman, runPodman } from './podman.ts';

/** A container that runs for a unit. */
export type RunningContainer = {
  readonly unit: string;
  /** The name under which it was started. */
  readonly imageName: string;
  readonly imageId: string;
};

/** What a local image is known by. */
export type KnownImage = {
  /** Of its manifest, and of the indexes through which it was pulled: whatever its names, it is these bytes. */
  readonly digests: readonly string[];
  /** See `formatPlatform`. */
  readonly platform: string;
};

const LABEL = 'PODMAN_SYSTEMD_UNIT';
/** Of one command, which may not become too long. */
const IDS_AT_ONCE = 500;
/** podman looks into each image; a slow disk takes its time. */
const INSPECT_TIMEOUT_MS = 60_000;

/** All containers that run for units, by one question however many they are. */
export async function listRunning(run: RunCommand): Promise<Outcome<readonly RunningContainer[]>> {
  // Not as JSON, which has all labels, command lines and mounts in it: of some thousands that were too much.
  const format = `{{.ImageID}} {{.Image}} {{index .Labels "${LABEL}"}}`;
  const asked = await askPodman(run, {
    args: ['ps', '--no-trunc', '--filter', `label=${LABEL}`, '--format', format],
  });
  if (!asked.ok) return asked;
  if (asked.value.stdoutDropped > 0) return fail('PODMAN_FAILED', 'It lists too many containers.');
  const lines = asked.value.stdout.split('\n').filter((line) => line !== '');
  return succeed(
    lines.map((line) => {
      const [imageId = '', imageName = '', unit = ''] = line.split(' ');
      return { imageId, imageName, unit };
    }),
  );
}

/**
 * What images are known by, by their ids; one that is gone is left out. podman looks at all images for each one: of five
 * hundred this takes minutes, see `listDigests`.
 */
export async function describeImages(
  run: RunCommand,
  ids: readonly string[],
): Promise<Outcome<ReadonlyMap<string, KnownImage>>> {
  const known = new Map<string, KnownImage>();
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const described = await describeSome(run, ids.slice(at, at + IDS_AT_ONCE));
    if (!described.ok) return described;
    for (const [id, image] of described.value) known.set(id, image);
  }
  return succeed(known);
}

async function describeSome(
  run: RunCommand,
  ids: readonly string[],
): Promise<Outcome<readonly (readonly [string, KnownImage])[]>> {
  const format = '{{.Id}} {{.Os}} {{.Architecture}} {{.Digest}} {{json .RepoDigests}}';
  const args = ['image', 'inspect', '--format', format, '--', ...ids];
  const called = await runPodman(run, { args, timeoutMs: INSPECT_TIMEOUT_MS });
  if (!called.ok) return called;
  // One that has gone since the first question; the others are printed all the same.
  const isGone = /no such image|image not known/.test(called.value.stderr);
  if (!isGone && !isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  if (called.value.stdoutDropped > 0) return fail('PODMAN_FAILED', 'It knows too many digests.');
  const lines = called.value.stdout.split('\n').filter((line) => line !== '');
  try {
    return succeed(lines.map(readImage));
  } catch {
    return fail('PODMAN_FAILED', 'podman describes an image in a way that cannot be read.');
  }
}

function readImage(line: string): readonly [string, KnownImage] {
  const [id = '', os = '', architecture = '', digest = '', names = ''] = line.split(' ');
  const repoDigests = (JSON.parse(names) as readonly string[] | null) ?? [];
  const others = repoDigests.map((name) => name.slice(name.indexOf('@') + 1));
  const digests = [...new Set([digest, ...others])];
  return [id, { digests, platform: formatPlatform(os, architecture) }];
}
