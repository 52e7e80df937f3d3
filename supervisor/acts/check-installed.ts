import { type CheckAnswer, parseCheckAnswer } from '../../shared/contract/helper-answers.ts';
import { type Failure, fail, formatFailure } from '../../shared/contract/outcome.ts';
import type { AskProgram } from './database-acts.ts';

/** What the checks after an exchange came to. */
export type Checked = { readonly failure: Failure | null; readonly warnings: readonly string[] };

/** What must be well whatever the network does. */
const OWN: ReadonlySet<string> = new Set(['own-files', 'database']);

/**
 * Has the new program look at itself and at what it depends on. A source or registry that it cannot reach counts
 * against it only where the old program reaches it: else the network is to blame, and that is a warning.
 */
export async function checkInstalled(
  ask: AskProgram,
  { target, old }: { readonly target: string; readonly old: string },
  digest: string,
): Promise<Checked> {
  const end = await ask(target, ['post-update-check', '--expect', digest]);
  const answer = end.ok ? parseCheckAnswer(end.value) : undefined;
  if (!answer) {
    const detail = end.ok ? 'The answer of post-update-check cannot be read.' : end.detail;
    return { failure: fail('UPDATE_CHECK_FAILED', detail).failure, warnings: [] };
  }
  const bad = answer.checks.filter(({ failure }) => failure !== null);
  const own = bad.find(({ name }) => OWN.has(name));
  if (own) return { failure: asFailure(own), warnings: [] };
  if (bad.length === 0) return { failure: null, warnings: [] };
  const before = await ask(old, ['post-update-check']);
  const baseline = before.ok ? parseCheckAnswer(before.value) : undefined;
  const worse = bad.find(({ name }) => isWell(baseline, name));
  return {
    failure: worse ? asFailure(worse) : null,
    warnings: bad.map(({ name, failure }) => `${name}: ${failure?.detail ?? ''}`.slice(0, 500)),
  };
}

type Check = CheckAnswer['checks'][number];

function isWell(answer: CheckAnswer | undefined, name: Check['name']): boolean {
  const same = answer?.checks.filter((check) => check.name === name) ?? [];
  return same.length > 0 && same.every(({ failure }) => failure === null);
}

function asFailure({ name, failure }: Check): Failure {
  const seen = failure ? formatFailure(failure) : '';
  return fail('UPDATE_CHECK_FAILED', `${name}: ${seen}`.slice(0, 1000)).failure;
}
