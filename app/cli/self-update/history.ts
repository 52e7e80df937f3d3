import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { readUpdateState } from '../../updates/read-update-state.ts';
import { viewHistoryEntry, viewSelfUpdate } from '../../updates/view-self-update.ts';
import { formatTime } from '../output/format-time.ts';
import { findScreen } from '../output/screen.ts';
import { formatTable } from '../output/table.ts';
import { formatDuration } from './describe.ts';
import { describeRetained } from './status.ts';
import type { UpdateCli } from './update-cli.ts';

const HEAD = ['FINISHED', 'OUTCOME', 'FROM', 'TO', 'TRIGGER', 'TOOK', 'UPDATE', 'FAILURE'];

/** `self-update history`: the updates that are over, the newest first, and what can be gone back to. */
export async function showHistory(
  cli: UpdateCli,
  { limit }: { readonly limit: number },
): Promise<ExitCode> {
  const facts = await readUpdateState(cli.loaded.paths);
  const history = facts.history.slice(-limit).reverse().map(viewHistoryEntry);
  const { retained } = viewSelfUpdate(facts);
  const rows = history.map((entry) => [
    formatTime(entry.finished_at),
    entry.outcome,
    entry.from.version,
    entry.to?.version ?? '?',
    entry.trigger,
    formatDuration(entry),
    entry.txn,
    entry.failure?.code ?? '',
  ]);
  const table =
    rows.length === 0
      ? 'No update has ended here yet.'
      : formatTable(rows, { head: HEAD, screen: findScreen() });
  const kept = retained.map(describeRetained).join(', ') || 'nothing is kept';
  cli.say(`${table}\nCan be gone back to: ${kept}`, { history, retained });
  return EXIT.ok;
}
