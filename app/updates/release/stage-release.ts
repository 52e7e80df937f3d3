import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import type { ReleaseIdentity } from '../../../shared/contract/release.ts';
import type { StagerOrder, StagerStep } from '../../../shared/contract/stager-messages.ts';
import { programPaths } from '../../../shared/contract/state-paths.ts';
import { removeDurably } from '../../../shared/fs/durable-file.ts';
import { type CheckOptions, checkCandidate, type Expected } from './check-candidate.ts';
import { downloadProgram } from './download-program.ts';
import {
  chooseRelease,
  type FoundRelease,
  type ReleaseChoice,
  type ReleaseSettings,
  toChoice,
} from './find-release.ts';
import { dryRunTarget, removeDryRun, removeStaged } from './leftovers.ts';
import { openReleaseSource, type SourceOptions } from './open-source.ts';
import { copyKept, isPlaced, placeProgram } from './place-program.ts';
import type { ReleaseSource } from './release-source.ts';
import { checkRoom, probeFolder } from './staging-room.ts';
import type { ReleaseFacts } from './verify-release.ts';
import { RETRIES, type Retries, withRetries } from './with-retries.ts';

/** What staging works with. */
export type StagingParts = {
  readonly settings: ReleaseSettings;
  readonly source: SourceOptions;
  readonly selfCheck: Omit<CheckOptions, 'signal'>;
  /** The kind of this host. */
  readonly platform: string;
  /** The newest migration of the program that runs. */
  readonly schema: number;
  readonly onProgress: (step: StagerStep, bytes: number, total: number | null) => void;
  readonly onSkipped: (tags: readonly string[]) => void;
  /** Ends it soon; what has come of a download stays. */
  readonly signal: AbortSignal;
  readonly retries?: Retries;
};

/** What staging came to. */
export type Staged = { readonly kind: 'staged' | 'current'; readonly release: ReleaseIdentity };

/**
 * Puts a release, or a kept program, beside the program as TARGET.new: chosen, verified, synced, and seen to start.
 * A dry run does all of that under another name and leaves nothing. Whatever fails, the program is not touched.
 */
export async function stageRelease(
  order: StagerOrder,
  parts: StagingParts,
): Promise<Outcome<Staged>> {
  const probed = probeFolder(order.target);
  if (!probed.ok) return probed;
  try {
    const base = order.dryRun ? dryRunTarget(order.target) : order.target;
    const staged = await (order.retained
      ? stageKept(base, order, parts)
      : stageFound(base, order, parts));
    const isNothingToDo = staged.ok && staged.value.kind === 'current';
    if (isNothingToDo && !order.dryRun) removeStaged(order.target);
    return staged;
  } finally {
    removeDryRun(order.target);
  }
}

async function stageFound(
  base: string,
  order: StagerOrder,
  parts: StagingParts,
): Promise<Outcome<Staged>> {
  const { settings, platform, signal, retries = RETRIES } = parts;
  const choice = toChoice(settings, order, platform);
  if (!choice.ok) return choice;
  const opened = openReleaseSource(settings, parts.source);
  if (!opened.ok) return opened;
  const source = opened.value;
  try {
    parts.onProgress('choosing', 0, null);
    const found = await withRetries(() => chooseRelease(source, choice.value), retries, signal);
    if (!found.ok) return found;
    if (found.value.kind === 'current') {
      return succeed({ kind: 'current', release: { ...order.current, tag: found.value.tag } });
    }
    parts.onSkipped(found.value.skipped);
    return await stageChosen(found.value, { base, order, parts, choice: choice.value, source });
  } finally {
    await source.close();
  }
}

type Staging = {
  readonly base: string;
  readonly order: StagerOrder;
  readonly parts: StagingParts;
  readonly choice: ReleaseChoice;
  readonly source: ReleaseSource;
};

async function stageChosen(
  found: FoundRelease & { readonly kind: 'other' },
  staging: Staging,
): Promise<Outcome<Staged>> {
  const { base, order, parts } = staging;
  const { facts } = found;
  const fits = checkSchema(facts, order.force ? 0 : parts.schema, parts.schema);
  if (!fits.ok) return fits;
  if (!(await isPlaced(base, facts.digest))) {
    const placed = await fetchAndPlace(found, staging);
    if (!placed.ok) return placed;
  }
  const { version, digest, tag, manifest } = facts;
  const schema = order.force ? null : parts.schema;
  const expected = { version, digest, platform: parts.platform, schema };
  const checked = await checkPlaced(base, expected, parts);
  if (!checked.ok) return checked;
  const commit = manifest?.commit ?? checked.value.commit;
  const generation = manifest?.generation ?? null;
  return succeed({ kind: 'staged', release: { version, digest, tag, commit, generation } });
}

/** What the manifest says of databases is looked at before the program is fetched. */
function checkSchema(
  { tag, manifest }: ReleaseFacts,
  atLeast: number,
  current: number,
): Outcome<void> {
  if (!manifest) return succeed(undefined);
  const { min, max } = manifest.schema;
  if (current < min) {
    const detail = `${tag} takes over databases from schema ${min} on; ${current} is in use here.`;
    return fail('RELEASE_INCOMPATIBLE', detail);
  }
  if (max >= atLeast) return succeed(undefined);
  const detail = `${tag} knows databases up to schema ${max}; ${current} is in use here.`;
  return fail('RELEASE_INCOMPATIBLE', detail);
}

async function fetchAndPlace(
  { release, facts }: FoundRelease & { readonly kind: 'other' },
  { base, order, parts, choice, source }: Staging,
): Promise<Outcome<void>> {
  const { signal, onProgress, retries } = parts;
  const size = facts.manifest?.bytes ?? null;
  onProgress('downloading', 0, size);
  const downloaded = await downloadProgram({
    facts,
    path: programPaths(base).partial,
    open: (wish) => source.open(release, choice.verification.asset, wish),
    checkRoom: (bytes) => checkRoom(order.target, bytes),
    onProgress,
    signal,
    ...(retries && { retries }),
  });
  return downloaded.ok ? placeProgram(base, signal) : downloaded;
}

async function stageKept(
  base: string,
  order: StagerOrder,
  parts: StagingParts,
): Promise<Outcome<Staged>> {
  if (!order.retained) throw new Error('no program is kept');
  const { file, release } = order.retained;
  if (release.digest === order.current.digest && !order.force) {
    return succeed({ kind: 'current', release: order.current });
  }
  parts.onProgress('verifying', 0, null);
  const copied = await copyKept(base, file, release.digest);
  if (!copied.ok) return copied;
  const placed = await placeProgram(base, parts.signal);
  if (!placed.ok) return placed;
  const { version, digest } = release;
  // Of an older program an older schema is to be expected; who orders it has seen to the database.
  const expected = { version, digest, platform: parts.platform, schema: null };
  const checked = await checkPlaced(base, expected, parts);
  return checked.ok ? succeed({ kind: 'staged', release }) : checked;
}

/** A program that does not pass does not stay; one whose check was stopped may pass the next time. */
async function checkPlaced(base: string, expected: Expected, parts: StagingParts) {
  const { staged } = programPaths(base);
  parts.onProgress('self-check', 0, null);
  const checked = await checkCandidate(staged, expected, {
    ...parts.selfCheck,
    signal: parts.signal,
  });
  if (!checked.ok && checked.failure.code !== 'UPDATE_CANCELLED') removeDurably(staged);
  return checked;
}
