import type { CommandResult } from '../../shared/process/run-command.ts';
import type { CredentialReaders } from './read-credentials.ts';

/**
 * Reads each credentials file and asks each helper once, for hundreds of questions in a row: on another host each is a
 * command. A file that is not there stays so, too; a helper that was ended by the caller is asked again.
 */
export function keepReadings({ readText, run }: CredentialReaders): CredentialReaders {
  const texts = new Map<string, Promise<string>>();
  const results = new Map<string, Promise<CommandResult>>();
  return {
    readText: (path) => {
      const reading = texts.get(path) ?? readText(path);
      texts.set(path, reading);
      return reading;
    },
    run: (command) => {
      const name = JSON.stringify([command.argv, command.input ?? '']);
      const asking = results.get(name) ?? run(command);
      results.set(name, asking);
      const forget = () => results.delete(name);
      asking.then(({ end }) => end.kind !== 'exited' && forget(), forget);
      return asking;
    },
  };
}
