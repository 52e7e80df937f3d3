import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { exportQuery } from '../../api/queries.ts';
import { exportEvents } from '../../events/export-events.ts';
import { toFilter } from '../../events/list-events.ts';
import { withStore } from '../with-store.ts';
import { type FilterOptions, readOptions } from './read-filter.ts';

/** What `events export` is called with. */
export type ExportOptions = FilterOptions & {
  readonly format: string;
  readonly output?: string;
};

/** `events export`: writes a part only when the one before has been taken. A file is there whole or not at all. */
export function exportToFile(
  { output, ...options }: ExportOptions,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withStore(environment, async (store) => {
    const query = readOptions(exportQuery, options);
    if (!query) return EXIT.usage;
    const { format, ...filter } = query;
    const text = Readable.from(exportEvents(store, toFilter(filter), format));
    try {
      if (output === undefined) await pipeline(text, process.stdout, { end: false });
      else await writeNew(text, output);
      return EXIT.ok;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // Whoever read it has seen enough.
      if (code === 'EPIPE') return EXIT.ok;
      const why = code === 'EEXIST' ? 'it is there already' : (code ?? message);
      process.stderr.write(`${output ?? 'standard output'} cannot be written: ${why}.\n`);
      return EXIT.failure;
    }
  });
}

async function writeNew(text: Readable, path: string): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  let isOurs = false;
  file.once('open', () => {
    isOurs = true;
  });
  try {
    await pipeline(text, file);
  } catch (error) {
    if (isOurs) await rm(path, { force: true });
    throw error;
  }
}
