import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import type { ReleaseCheckView } from '../../api/self-update-views.ts';
import { checkRelease } from '../../updates/check-release.ts';
import { readUpdateState } from '../../updates/read-update-state.ts';
import type { UpdateCli } from './update-cli.ts';

/** `self-update check`: looks which release would be installed now; nothing is downloaded but what describes it. */
export async function checkForRelease(cli: UpdateCli): Promise<ExitCode> {
  const { settings, paths } = cli.loaded;
  const facts = await readUpdateState(paths);
  const checked = await checkRelease({ settings, facts, signal: cli.signal });
  if (!checked.ok) return cli.fail(checked.failure);
  cli.say(describeCheck(checked.value), checked.value);
  return EXIT.ok;
}

function describeCheck({ kind, running, version, tag, skipped }: ReleaseCheckView): string {
  const passed =
    skipped.length > 0 ? ` Passed over, for they failed here: ${skipped.join(', ')}.` : '';
  return kind === 'current'
    ? `${running} runs, and ${tag} is what would be installed: nothing to do.`
    : `${version} (${tag}) would be installed; ${running} runs.${passed}`;
}
