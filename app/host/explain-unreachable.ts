import { fail } from '../../shared/contract/outcome.ts';
import { type CommandResult, formatEnd } from '../../shared/process/run-command.ts';

/** SSH_UNREACHABLE where a command failed because its host was, or got, out of reach; else undefined. */
export function explainUnreachable(result: CommandResult): ReturnType<typeof fail> | undefined {
  const { end } = result;
  if (end.kind === 'connection-lost') return fail('SSH_UNREACHABLE', formatEnd(result));
  if (end.kind !== 'not-started' || !end.reason.startsWith('SSH_UNREACHABLE: ')) return undefined;
  return fail('SSH_UNREACHABLE', end.reason.slice('SSH_UNREACHABLE: '.length));
}
