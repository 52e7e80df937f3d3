import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../../shared/contract/outcome.ts';
import { isSuccess } from '../../../shared/contract/update-report.ts';
import type { UpdateCommand, UpdateRequest } from '../../../shared/contract/update-request.ts';
import { askByFile } from '../../updates/ask-by-file.ts';
import { ANSWER_LIMIT_MS, newUpdateRequest } from '../../updates/ask-supervisor.ts';
import { followUpdate } from '../../updates/follow-update.ts';
import { viewHistoryEntry } from '../../updates/view-self-update.ts';
import { describeEnd } from './describe.ts';
import type { UpdateCli } from './update-cli.ts';

/** Asks for something that is done once it is answered, and says so. */
export async function askAndSay(
  cli: UpdateCli,
  command: UpdateCommand,
  over: Partial<UpdateRequest>,
  done: (txn: string | null) => string,
): Promise<ExitCode> {
  const asked = await ask(cli, command, over);
  if (!asked.ok) return cli.fail(asked.failure);
  const { txn } = asked.value;
  cli.say(done(txn), { txn });
  return EXIT.ok;
}

/** Asks for an update, and says that it has begun or, when that is wanted, how it ended. */
export async function askAndFollow(
  cli: UpdateCli,
  command: 'run' | 'rollback',
  over: Partial<UpdateRequest>,
  wait: boolean,
): Promise<ExitCode> {
  const asked = await ask(cli, command, over);
  if (!asked.ok) return cli.fail(asked.failure);
  const { txn } = asked.value;
  const begun = `${txn} has begun; self-update status shows how it goes.`;
  if (wait && txn !== null) return await follow(cli, txn);
  cli.say(begun, { txn });
  return EXIT.ok;
}

function ask(
  { loaded, by, signal }: UpdateCli,
  command: UpdateCommand,
  over: Partial<UpdateRequest>,
) {
  const request = newUpdateRequest(command, 'cli', { by, ...over });
  return askByFile(loaded.paths, request, { waitMs: ANSWER_LIMIT_MS, signal });
}

async function follow(cli: UpdateCli, txn: string): Promise<ExitCode> {
  const end = await followUpdate(cli.loaded.paths, txn, {
    signal: cli.signal,
    onState: (state) => cli.sayMeanwhile(`${txn} ${state}`),
  });
  switch (end.kind) {
    case 'ended': {
      const { entry } = end;
      cli.say(describeEnd(entry), viewHistoryEntry(entry));
      if (entry.failure) process.stderr.write(`${formatFailure(entry.failure)}\n`);
      return isSuccess(entry.outcome) ? EXIT.ok : EXIT.failure;
    }
    case 'held':
      return cli.fail(
        end.record.failure ?? { code: 'UPDATE_ROLLBACK_FAILED', detail: 'No version runs.' },
      );
    case 'lost':
      return cli.fail({ code: 'UPDATE_NONE_OPEN', detail: `Nothing is known of ${txn} any more.` });
    case 'left':
      process.stderr.write(`${txn} goes on without being watched.\n`);
      return EXIT.failure;
  }
}
