import type { Command } from 'commander';
import { EXIT } from '../../shared/contract/exit-codes.ts';

type ExitName = keyof typeof EXIT;

const MEANINGS: Readonly<Record<ExitName, string>> = {
  ok: 'did what it was asked to, or was stopped cleanly',
  failure: 'failed; standard error says why',
  usage: 'the command line was wrong',
  updateRequested: 'asks its supervisor for an update',
  socketUnavailable: 'the address is taken, or another process uses the state directory',
  stopForced: 'the worker had to be killed because it did not stop in time',
  restartNow: 'is to be started again now, without counting it as a failure',
  configInvalid: 'the configuration is wrong; check-config says what',
};

const USUAL: readonly ExitName[] = ['ok', 'failure', 'usage', 'configInvalid'];

/** What commands can end with besides. */
const MORE: Readonly<Record<string, readonly ExitName[]>> = {
  supervise: ['socketUnavailable', 'stopForced', 'restartNow'],
  'http-server': ['updateRequested', 'socketUnavailable'],
};

/** Adds to the help of a command, and of each below it, what it ends with. */
export function addExitHelp(command: Command): void {
  const names: ExitName[] = command.parent
    ? [...USUAL, ...(MORE[command.name()] ?? [])]
    : (Object.keys(EXIT) as ExitName[]);
  const lines = names
    .sort((a, b) => EXIT[a] - EXIT[b])
    .map((name) => `  ${String(EXIT[name]).padEnd(3)} ${MEANINGS[name]}`);
  command.addHelpText('after', `\nExit codes:\n${lines.join('\n')}`);
  for (const one of command.commands) addExitHelp(one);
}
