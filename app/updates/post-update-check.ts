import type { CheckAnswer, InspectAnswer } from '../../shared/contract/helper-answers.ts';
import { type Failure, fail, type Outcome } from '../../shared/contract/outcome.ts';

/** What the checks after an exchange ask; each is one question to the host, a registry or the source of releases. */
export type CheckParts = {
  readonly version: string;
  /** SHA-256 of the own program file. */
  readonly digest: string;
  /** What it should be; undefined where nobody says. */
  readonly expected: string | undefined;
  readonly inspect: () => InspectAnswer;
  /** Undefined where no source is configured. */
  readonly lookForRelease: (() => Promise<Outcome<unknown>>) | undefined;
  /** One look-up for each registry that a configured unit depends on. */
  readonly registries: readonly (() => Promise<Outcome<unknown>>)[];
};

/** Ends of a look that mean that nobody was there to answer; any answer at all means that somebody was. */
const NOBODY: ReadonlySet<string> = new Set([
  'RELEASE_SOURCE_UNREACHABLE',
  'REGISTRY_UNREACHABLE',
  'REGISTRY_TIMEOUT',
]);

/**
 * Looks whether an installed program is whole and finds what it depends on: its own file, the database, the source of
 * releases, the registries of its units. Each by itself, all at once.
 */
export async function checkAfterUpdate(parts: CheckParts): Promise<CheckAnswer> {
  const { version, digest, lookForRelease, registries } = parts;
  const [source, ...answers] = await Promise.all([
    reach(lookForRelease),
    ...registries.map((ask) => reach(ask)),
  ]);
  return {
    version,
    digest,
    checks: [
      { name: 'own-files', failure: checkOwnFile(parts) },
      { name: 'database', failure: checkDatabase(parts.inspect()) },
      { name: 'release-source', failure: source ?? null },
      ...answers.map((failure) => ({ name: 'registry' as const, failure })),
    ],
  };
}

function checkOwnFile({ digest, expected }: CheckParts): Failure | null {
  if (expected === undefined || expected === digest) return null;
  return fail('UPDATE_WRONG_PROGRAM', `Its digest is ${digest}, not ${expected}.`).failure;
}

function checkDatabase({ compatible, sound, detail }: InspectAnswer): Failure | null {
  return compatible && sound ? null : fail('DATABASE_UNAVAILABLE', detail).failure;
}

async function reach(ask: (() => Promise<Outcome<unknown>>) | undefined): Promise<Failure | null> {
  const outcome = await ask?.();
  return outcome && !outcome.ok && NOBODY.has(outcome.failure.code) ? outcome.failure : null;
}
