import { hashFile, programFile } from '../../shared/config/program-file.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { ReleaseCheckView } from '../api/self-update-views.ts';
import type { UpdateFacts } from '../domain/update-facts.ts';
import type { ReleaseSettings } from './release/find-release.ts';
import { findRelease } from './release/find-release.ts';

/** What a look needs. */
export type CheckParts = {
  readonly settings: ReleaseSettings;
  readonly facts: Pick<UpdateFacts, 'policy' | 'quarantine'>;
  /** Ends the look. */
  readonly signal: AbortSignal;
};

/** Looks which release an update would install now, by the rules that the update itself goes by. */
export async function checkRelease({
  settings,
  facts,
  signal,
}: CheckParts): Promise<Outcome<ReleaseCheckView>> {
  const { policy, quarantine } = facts;
  const digest = await hashFile(programFile());
  const known = policy.lastGood?.digest === digest ? policy.lastGood : undefined;
  const found = await findRelease(
    settings,
    {
      current: { version: PROGRAM.version, digest, tag: known?.tag ?? null },
      tag: null,
      force: false,
      quarantine: quarantine.map((bad) => bad.digest),
      generationFloor: policy.generationFloor,
    },
    { userAgent: `pod-upgrade-trigger/${PROGRAM.version}`, signal },
  );
  if (!found.ok) return found;
  const { value } = found;
  const running = PROGRAM.version;
  return succeed(
    value.kind === 'current'
      ? { kind: 'current', running, version: null, tag: value.tag, published_at: null, skipped: [] }
      : {
          kind: 'other',
          running,
          version: value.facts.version,
          tag: value.facts.tag,
          published_at: value.facts.manifest?.publishedAt ?? null,
          skipped: value.skipped,
        },
  );
}
