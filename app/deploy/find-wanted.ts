import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
  sameRepository,
  withDigest,
  withTag,
} from '../domain/image-reference.ts';
import { findHostObstacle } from '../domain/preflight.ts';
import { findHeld, heldPattern } from '../domain/rollback-tag.ts';
import type { Wanted } from '../domain/wanted.ts';
import { parseWantedVersion, type WantedVersion } from '../domain/wanted-version.ts';
import { checkQuadlet, explainMissing } from '../host/check-quadlet.ts';
import { findKeptImage, type ImageStore, keepsList } from '../host/image-store.ts';
import { inspectImage, type LocalImage, listImageNames } from '../host/podman-images.ts';
import { readUnit, type UnitReading } from '../host/read-unit.ts';
import { readCompanions } from '../host/read-unit-state.ts';
import type { DeployParts, DeployRequest } from './deploy-unit.ts';

/** What a manual wish needs of the parts; it is what a plan is made with, too. */
export type WantedParts = Pick<
  DeployParts,
  'run' | 'readInfo' | 'readText' | 'lookUp' | 'readPolicy' | 'onPhase' | 'onEvidence' | 'isSystem'
>;

/** What a unit is to run, and the image that its tag means here until then; undefined where there is none. */
export type Found = Wanted & {
  readonly current: LocalImage | undefined;
  /** Where podman keeps the images; null where it has to be asked for them. */
  readonly images: ImageStore | null;
};

/**
 * Finds what a unit is to run: the image that its tag means now, or the version that a person chose. Fails where the unit
 * cannot be deployed as it is, where this host cannot take the image, and where the registry does not give the digest.
 */
export async function findWanted(
  parts: WantedParts,
  request: Pick<DeployRequest, 'unit' | 'image' | 'version'>,
): Promise<Outcome<Found>> {
  parts.onPhase('reading-unit');
  const read = await readUnit(parts.run, request.unit);
  if (!read.ok) return explainUnread(parts, request.unit, read.failure);
  const usable = await checkUnit(parts, request, read.value);
  if (!usable.ok) return usable;
  const { image, restartUnit } = usable.value;
  parts.onEvidence({ image: withTag(image) });
  const policy = await parts.readPolicy(request.unit, read.value);
  if (!policy.ok) return policy;
  parts.onPhase('resolving-digest');
  const found = await resolve(parts, request, image);
  if (!found.ok) return found;
  const { unit } = request;
  const chosen = request.version === undefined ? undefined : chosenTag(request.version, image);
  const isWritten = chosen !== undefined && policy.value.writeImage;
  const writeImage = isWritten ? withTag({ ...image, tag: chosen }) : null;
  return succeed({ ...found.value, unit, restartUnit, image, writeImage, policy: policy.value });
}

function chosenTag(version: string, image: ImageReference): string | undefined {
  const wanted = parseWantedVersion(version, image);
  return wanted && 'tag' in wanted ? wanted.tag : undefined;
}

/** At a daemon-reload a unit is gone whose Quadlet file has a fault; its container may run on. */
async function explainUnread(
  { run, isSystem }: WantedParts,
  unit: string,
  failure: Failure,
): Promise<{ ok: false; failure: Failure }> {
  const isMissing = failure.code === 'UNIT_NOT_FOUND';
  const missing = isMissing ? await explainMissing(run, unit, isSystem) : null;
  return { ok: false, failure: missing ?? failure };
}

type Usable = { readonly image: ImageReference; readonly restartUnit: string };

async function checkUnit(
  { run, isSystem }: WantedParts,
  request: Pick<DeployRequest, 'unit' | 'image'>,
  unit: UnitReading,
): Promise<Outcome<Usable>> {
  const { name, image, sourcePath, fragmentPath, bindsTo, requires, isInPod } = unit;
  // Before all that a daemon-reload could mend: with a fault in its file there would be no unit after one.
  if (name === request.unit && sourcePath.endsWith('.container')) {
    const made = await checkQuadlet(run, { unit: name, sourcePath, fragmentPath }, isSystem);
    if (!made.ok) return made;
  }
  const refusal = refuseUnit(request, unit);
  if (refusal) return { ok: false, failure: refusal };
  if (!image) return fail('UNIT_IMAGE_UNKNOWN', `Unit ${request.unit}.`);
  const companions = await readCompanions(run, isInPod ? bindsTo : [], requires);
  if (!companions.ok) return companions;
  const { pod, puller } = companions.value;
  if (puller !== null) {
    return fail('UNIT_PULLS_ITSELF', `Through ${puller}, which pulls whatever the tag means.`);
  }
  return succeed({ image, restartUnit: pod ?? request.unit });
}

/** Why a unit is not deployed as it is; null where it may be. */
function refuseUnit(
  request: Pick<DeployRequest, 'unit' | 'image'>,
  unit: UnitReading,
): Failure | null {
  const { image, name, playsKube } = unit;
  const refuse = (...[code, detail]: Parameters<typeof fail>) => fail(code, detail).failure;
  if (name !== request.unit) return refuse('UNIT_IS_ALIAS', `${name}.`);
  if (playsKube !== null) {
    const why = 'one of its images could not be exchanged without the others';
    return refuse('UNIT_KIND_UNSUPPORTED', `It runs ${playsKube}: ${why}.`);
  }
  if (unit.pullsItself) return refuse('UNIT_PULLS_ITSELF', `Unit ${request.unit}.`);
  if (unit.needsReload) return refuse('UNIT_NEEDS_RELOAD', `Unit ${request.unit}.`);
  if (image?.digest !== undefined) {
    return refuse('UNIT_IMAGE_PINNED', `It runs ${formatImageReference(image)}.`);
  }
  const meant = request.image === undefined ? undefined : parseImageReference(request.image);
  if (image && meant && !sameRepository(meant, image)) {
    const detail = `It runs ${withTag(image)}, meant was ${request.image}.`;
    return refuse('UNIT_IMAGE_CHANGED', detail);
  }
  return null;
}

type Resolved = Pick<Found, 'digest' | 'heldHere' | 'current' | 'images'>;
type Located = Pick<Wanted, 'digest' | 'heldHere'>;

async function resolve(
  parts: WantedParts,
  { unit, version }: Pick<DeployRequest, 'unit' | 'version'>,
  image: ImageReference,
): Promise<Outcome<Resolved>> {
  const info = await parts.readInfo(parts.run);
  if (!info.ok) return info;
  const { driver, graphRoot } = info.value;
  const images = keepsList(driver) ? { host: parts, graphRoot } : null;
  const kept = images && (await findKeptImage(images, image));
  const current = kept ? succeed(kept) : await inspectImage(parts.run, withTag(image));
  if (!current.ok) return current;
  const obstacle = findHostObstacle(info.value, current.value?.sizeBytes ?? 0);
  if (obstacle) return { ok: false, failure: obstacle };
  const wanted = version === undefined ? undefined : parseWantedVersion(version, image);
  if (version !== undefined && !wanted) {
    return fail('VERSION_NOT_OF_UNIT', `${version.slice(0, 200)}; it runs ${withTag(image)}.`);
  }
  const found = await locate(parts, { unit, image, wanted, registries: info.value.registries });
  return found.ok ? succeed({ ...found.value, current: current.value, images }) : found;
}

type Place = {
  readonly unit: string;
  readonly image: ImageReference;
  readonly wanted: WantedVersion | undefined;
  readonly registries: unknown;
};

async function locate(
  parts: WantedParts,
  { unit, image, wanted, registries }: Place,
): Promise<Outcome<Located>> {
  if (wanted?.kind === 'held') return findHeldVersion(parts, unit, wanted.name);
  if (image.registry === 'localhost') {
    const tag = wanted?.kind === 'tag' ? { ...image, tag: wanted.tag } : image;
    const name = wanted?.kind === 'digest' ? withDigest(image, wanted.digest) : withTag(tag);
    return findHere(parts, name);
  }
  const { registry, repository } = image;
  const asked = wanted ? { registry, repository, ...versionOf(wanted) } : image;
  const found = await parts.lookUp(asked, registries);
  if (!found.ok) return found;
  parts.onEvidence({ registry_digest: found.value.digest });
  return succeed({ digest: found.value.digest, heldHere: null });
}

function versionOf(wanted: Exclude<WantedVersion, { kind: 'held' }>) {
  return wanted.kind === 'tag' ? { tag: wanted.tag } : { digest: wanted.digest };
}

async function findHeldVersion(
  parts: WantedParts,
  unit: string,
  name: string,
): Promise<Outcome<Located>> {
  const listed = await listImageNames(parts.run, heldPattern(unit));
  if (!listed.ok) return listed;
  const isItsOwn = findHeld(unit, listed.value).some((held) => held.name === name);
  if (!isItsOwn) return fail('VERSION_NOT_OF_UNIT', `${name} is not held for ${unit}.`);
  return findHere(parts, name);
}

/** What no registry is asked for: an image that was built here, or one that is held. */
async function findHere(parts: WantedParts, name: string): Promise<Outcome<Located>> {
  const local = await inspectImage(parts.run, name);
  if (!local.ok) return local;
  if (!local.value) return fail('VERSION_NOT_OF_UNIT', `There is no image ${name} here.`);
  return succeed({ digest: local.value.digest, heldHere: name });
}
