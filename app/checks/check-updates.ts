import { type Failure, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import { withTag } from '../domain/image-reference.ts';
import type { Host } from '../host/host.ts';
import { readPlatform } from '../host/image-store.ts';
import { listRunning } from '../host/running-images.ts';
import { openRegistryClient } from '../registry/registry-client.ts';
import { type AskParts, askTags, type Learnt, tagsOf } from './ask-tags.ts';
import { findHigher, type HigherWishes, hasVersion } from './find-higher.ts';
import { openHostLimits } from './host-limits.ts';
import { reachRegistries } from './reach-registries.ts';
import { type SeenUnit, seeUnits, type UnitToCheck } from './see-units.ts';

/** What a check works with. */
export type CheckParts = {
  readonly store: Pick<Store, 'updateChecks' | 'registryAnswers' | 'transact'>;
  readonly host: Host;
  /** All units that there are; what is kept of others is forgotten by a check of all. */
  readonly units: () => readonly UnitToCheck[];
  /** What units want to hear of higher tags, by their policies. */
  readonly readWishes: (units: readonly string[]) => Promise<HigherWishes>;
  /** The limit of one question, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives the check up: it then rejects with the reason of the signal, and has written nothing. */
  readonly signal: AbortSignal;
  /** Keeps other processes from checking until what it gives is called: each tag would be asked for twice at a time. */
  readonly lock: (signal: AbortSignal) => Promise<() => void>;
  /** Hears each secret of a registry that is read. */
  readonly onSecret?: (secret: string) => void;
};

/** Which units, and how new an answer has to be. */
export type CheckRequest = {
  /** Absent: all. */
  readonly units?: readonly string[];
  /** A person wants to know it now: nothing that was answered before will do. */
  readonly isForced: boolean;
};

/** What a check has done. */
export type CheckSummary = {
  readonly units: number;
  /** How many tags were asked for, and how many of them without an answer. */
  readonly asked: number;
  readonly failed: number;
  readonly durationMs: number;
};

/** Of all questions together, in milliseconds; what is not answered by then is REGISTRY_TIMEOUT. */
export const CHECK_LIMIT_MS = 90_000;
/** By the clock: what was answered so shortly before is not asked again. */
const FRESH_MS = 60_000;
/** Tags are added rarely, and a list of them costs more than a digest. */
const LIST_FRESH_MS = 6 * 3_600_000;
const FORGET_MS = 30 * 86_400_000;

/**
 * Looks for updates: what the units run, what their tags and `latest` mean, and which tags are higher versions. What was
 * learnt is written in one transaction; what could not be asked is written as that. Fails only where the host of the units
 * does not answer (PODMAN_UNAVAILABLE, PODMAN_FAILED, SSH_UNREACHABLE); its units are unknown then.
 */
export async function checkUpdates(
  parts: CheckParts,
  request: CheckRequest,
): Promise<Outcome<CheckSummary>> {
  const release = await parts.lock(parts.signal);
  try {
    return await checkAlone(parts, request);
  } finally {
    release();
  }
}

async function checkAlone(
  parts: CheckParts,
  request: CheckRequest,
): Promise<Outcome<CheckSummary>> {
  parts.signal.throwIfAborted();
  const begun = performance.now();
  const { host, store } = parts;
  const all = parts.units();
  const chosen = request.units;
  const units = chosen ? all.filter(({ unit }) => chosen.includes(unit)) : all;
  const looked = await look(host, units);
  if (!looked.ok) {
    const names = units.map(({ unit }) => unit);
    store.transact(() => store.updateChecks.noteUnseen(names, looked.failure, Date.now()));
    return looked;
  }
  const { images, seen, reach } = looked.value;
  const limits = openHostLimits(store.registryAnswers);
  const { timeoutMs, onSecret } = parts;
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(CHECK_LIMIT_MS)]);
  const client = openRegistryClient({
    ...{ ...reach, timeoutMs, signal, onAnswer: limits.note },
    ...(onSecret && { onSecret }),
  });
  const asking: AskParts = {
    ...{ client, limits, answers: store.registryAnswers, signal },
    readPlatform: (imageId) => readPlatform(images, imageId),
  };
  const now = Date.now();
  const since = (ms: number) => (request.isForced ? now : now - ms);
  try {
    const wishing = seen.filter(hasVersion).map(({ unit }) => unit);
    const [learnt, wishes] = await Promise.all([
      askTags(asking, seen, since(FRESH_MS)),
      parts.readWishes(wishing),
    ]);
    const former = new Map(store.updateChecks.list().map((row) => [row.unit, row]));
    const higher = await findHigher(asking, seen, wishes, former, since(LIST_FRESH_MS));
    parts.signal.throwIfAborted();
    store.transact(() => {
      writeLearnt(store.registryAnswers, learnt);
      for (const one of seen) {
        const known = learnt.platforms.get(one.imageId ?? '');
        // Where no registry answers, what was known before still has to be judged by.
        const platform = known ?? former.get(one.unit)?.platform ?? null;
        writeUnit(store.updateChecks, one, platform, higher.get(one.unit));
      }
      limits.save();
      if (chosen) return;
      store.updateChecks.keepOnly(all.map(({ unit }) => unit));
      store.registryAnswers.forgetBefore(now - FORGET_MS);
    });
    return succeed({
      units: units.length,
      asked: learnt.tags.size + learnt.failures.size,
      failed: countFailed(learnt, seen),
      durationMs: Math.round(performance.now() - begun),
    });
  } finally {
    await client.close();
  }
}

/** What the units run, by two questions of podman however many they are, and how registries are asked from their host. */
async function look(host: Host, units: readonly UnitToCheck[]) {
  const [info, running] = await Promise.all([host.readInfo(host.run), listRunning(host.run)]);
  if (!info.ok) return info;
  if (!running.ok) return running;
  const images = { host, graphRoot: info.value.graphRoot };
  const seen = await seeUnits(images, units, running.value);
  if (!seen.ok) return seen;
  const reach = await reachRegistries(host, info.value.registries);
  return reach.ok ? succeed({ images, seen: seen.value, reach: reach.value }) : reach;
}

/** That there is no `latest` beside the tag of a unit is an answer, and nothing that any unit waits for. */
function countFailed({ failures }: Learnt, seen: readonly SeenUnit[]): number {
  const own = new Set(seen.flatMap(({ image }) => (image ? [withTag(image)] : [])));
  const isFailed = ([name, { code }]: readonly [string, Failure]) =>
    own.has(name) || code !== 'REGISTRY_IMAGE_NOT_FOUND';
  return [...failures].filter(isFailed).length;
}

function writeLearnt(answers: Store['registryAnswers'], learnt: Learnt): void {
  const now = Date.now();
  for (const [name, answer] of learnt.tags) answers.noteTag(name, answer, now);
  for (const [name, failure] of learnt.failures) answers.noteFailure(name, failure, now);
  for (const { indexDigest, platform, digests } of learnt.manifests) {
    for (const digest of digests) answers.noteManifest(indexDigest, platform, digest);
  }
}

function writeUnit(
  table: Store['updateChecks'],
  seen: SeenUnit,
  platform: string | null,
  higher: Parameters<Store['updateChecks']['put']>[0]['higher'] | undefined,
): void {
  const now = Date.now();
  const { unit, image, containers, failure } = seen;
  const [, latest] = tagsOf(seen);
  table.put({
    ...{ unit, containers, platform, failure, seenAt: now, checkedAt: now },
    image: image ? withTag(image) : null,
    latestImage: latest ? withTag(latest) : null,
    higher: higher ?? null,
  });
}
