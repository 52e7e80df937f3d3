import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import type { ExplainView } from '../../api/self-update-views.ts';
import type { UpdateFacts } from '../../domain/update-facts.ts';
import { checkRelease } from '../../updates/check-release.ts';
import { explainSelfUpdate } from '../../updates/explain-update.ts';
import { readUpdateState } from '../../updates/read-update-state.ts';
import { askForStatus } from './ask-for-status.ts';
import type { UpdateCli } from './update-cli.ts';

/** The look for a release is a part of the answer, not worth a long wait. */
const CHECK_LIMIT_MS = 10_000;

/** `self-update explain`: what is going on and why (not) yet, in sentences, the answer first. */
export async function explainUpdates(cli: UpdateCli): Promise<ExitCode> {
  const { settings, paths } = cli.loaded;
  const facts = await readUpdateState(paths);
  const [status, newest] = await Promise.all([askForStatus(cli), lookForNewest(cli, facts)]);
  const sentences = explainSelfUpdate({ facts, status, settings, newest, isService: false });
  const view: ExplainView = { sentences };
  const lines = sentences.flatMap(({ text, hint }) =>
    hint === null ? [text] : [text, `  ${hint}`],
  );
  cli.say(lines.map((line) => line.replaceAll(/\p{Cc}/gu, ' ')).join('\n'), view);
  return EXIT.ok;
}

/** Nothing where this command knows no source: the service may know one. */
async function lookForNewest({ loaded, signal }: UpdateCli, facts: UpdateFacts) {
  const { settings } = loaded;
  if (!settings.releaseRepository && !settings.releaseBaseUrl) return null;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CHECK_LIMIT_MS)]);
  return { at: Date.now(), found: await checkRelease({ settings, facts, signal: limit }) };
}
