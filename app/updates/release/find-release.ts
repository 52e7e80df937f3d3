import type { Settings } from '../../../shared/config/settings.ts';
import { type Failure, fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import type { ReleaseIdentity } from '../../../shared/contract/release.ts';
import {
  type ChoiceRules,
  judgeRelease,
  type ReleaseChannel,
  rankReleases,
} from '../../domain/release-choice.ts';
import { programAsset } from '../../domain/release-files.ts';
import { compareVersions, isReleaseTag } from '../../domain/release-version.ts';
import { hostPlatform } from './host-platform.ts';
import { openReleaseSource, type SourceOptions, type SourceSettings } from './open-source.ts';
import type { ReleaseSource, SourceRelease } from './release-source.ts';
import { type ReleaseFacts, readFacts, type Verification } from './verify-release.ts';

/** The settings that decide which release is found. */
export type ReleaseSettings = SourceSettings &
  Pick<Settings, 'releaseTag' | 'releaseChannel' | 'releasePublicKeys'>;

/** What is looked for. */
export type ReleaseWish = Omit<ChoiceRules, 'current'> & {
  readonly current: Pick<ReleaseIdentity, 'version' | 'digest' | 'tag'>;
  /** This tag and no other; null: what the settings say. */
  readonly tag: string | null;
};

/** What was found. */
export type FoundRelease =
  | {
      /** Another program than the one that runs, and allowed. */
      readonly kind: 'other';
      readonly facts: ReleaseFacts;
      readonly release: SourceRelease;
      /** Tags of newer ones that were passed over because they failed here. */
      readonly skipped: readonly string[];
    }
  /** What is wanted runs already. */
  | { readonly kind: 'current'; readonly tag: string };

/** What choosing needs beside the source. */
export type ReleaseChoice = {
  readonly wish: ReleaseWish;
  readonly channel: ReleaseChannel;
  readonly verification: Verification;
};

/** Looks for the release that an update would install. Nothing is downloaded but what describes it. */
export async function findRelease(
  settings: ReleaseSettings,
  wish: ReleaseWish,
  options: SourceOptions,
): Promise<Outcome<FoundRelease>> {
  const choice = toChoice(settings, wish);
  if (!choice.ok) return choice;
  const source = openReleaseSource(settings, options);
  if (!source.ok) return source;
  try {
    return await chooseRelease(source.value, choice.value);
  } finally {
    await source.value.close();
  }
}

/** What settings, wish and host come to; fails where no program is built for this host. */
export function toChoice(
  settings: ReleaseSettings,
  wish: ReleaseWish,
  platform: string = hostPlatform(),
): Outcome<ReleaseChoice> {
  const asset = programAsset(platform);
  if (asset === undefined) {
    return fail('RELEASE_INCOMPATIBLE', `No program is built for this host, ${platform}.`);
  }
  return succeed({
    wish: { ...wish, tag: wish.tag ?? settings.releaseTag ?? null },
    channel: settings.releaseChannel,
    verification: { keys: settings.releasePublicKeys, asset, platform },
  });
}

/** Chooses a release of an open source. */
export function chooseRelease(
  source: ReleaseSource,
  choice: ReleaseChoice,
): Promise<Outcome<FoundRelease>> {
  const { tag } = choice.wish;
  return tag === null ? chooseNewest(source, choice) : chooseTag(source, tag, choice);
}

async function chooseTag(
  source: ReleaseSource,
  tag: string,
  choice: ReleaseChoice,
): Promise<Outcome<FoundRelease>> {
  if (!isReleaseTag(tag)) return fail('RELEASE_NOT_FOUND', `${JSON.stringify(tag)} is no tag.`);
  const found = await source.find(tag);
  if (!found.ok) return found;
  if (!found.value || found.value.isDraft) {
    return fail('RELEASE_NOT_FOUND', `${source.name} has no release ${tag}.`);
  }
  return judge(source, found.value, choice);
}

/** The newest one first; quarantined ones are passed over as long as there are further ones that are newer. */
async function chooseNewest(
  source: ReleaseSource,
  choice: ReleaseChoice,
): Promise<Outcome<FoundRelease>> {
  const listed = await source.list();
  if (!listed.ok) return listed;
  const { asset } = choice.verification;
  const complete = listed.value.filter(({ assets }) => assets === null || assets.has(asset));
  const skipped: string[] = [];
  let quarantined: Failure | undefined;
  for (const release of rankReleases(complete, choice.channel)) {
    const judged = await judge(source, release, choice);
    if (judged.ok && judged.value.kind === 'other') {
      return succeed({ ...judged.value, skipped });
    }
    if (judged.ok || judged.failure.code !== 'RELEASE_QUARANTINED') {
      return quarantined ? { ok: false, failure: quarantined } : judged;
    }
    quarantined ??= judged.failure;
    skipped.push(release.tag);
  }
  if (quarantined) return { ok: false, failure: quarantined };
  const detail = `${source.name} has no release of channel ${choice.channel} with ${asset}.`;
  return fail('RELEASE_NOT_FOUND', detail);
}

async function judge(
  source: ReleaseSource,
  release: SourceRelease,
  { wish, verification }: JudgedBy,
): Promise<Outcome<FoundRelease>> {
  const { tag, version } = release;
  const unread = { tag, digest: null, generation: null };
  // What is refused by its version alone is not asked for more.
  if (version !== null && compareVersions(version, wish.current.version) < 0) {
    const early = judgeRelease({ ...unread, version }, wish);
    if (early.kind === 'refuse') return { ok: false, failure: early.failure };
  }
  const read = await readFacts(source, release, verification);
  if (!read.ok) return describe(read.failure, tag);
  const facts = read.value;
  if (!facts) {
    const isSame =
      version !== null && judgeRelease({ ...unread, version }, wish).kind === 'current';
    return isSame ? succeed({ kind: 'current', tag }) : fail('RELEASE_NOT_FOUND', lacks(tag));
  }
  const generation = facts.manifest?.generation ?? null;
  const judgement = judgeRelease({ ...facts, generation }, wish);
  switch (judgement.kind) {
    case 'take':
      return succeed({ kind: 'other', facts, release, skipped: [] });
    case 'current':
      return succeed({ kind: 'current', tag });
    case 'refuse':
      return { ok: false, failure: judgement.failure };
  }
}

type JudgedBy = Pick<ReleaseChoice, 'wish' | 'verification'>;

function lacks(tag: string): string {
  return `${tag} has neither a checksum nor a manifest of a program for this host.`;
}

function describe({ code, detail }: Failure, tag: string): Outcome<never> {
  return fail(code, `${tag}: ${detail}`);
}
