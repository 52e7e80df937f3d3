import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import type { Calling } from '../call-note.ts';
import { readFromService } from '../call-service.ts';
import { type FilterOptions, toQuery } from './to-query.ts';

/** What `events export` is called with. */
export type ExportOptions = FilterOptions & {
  readonly format: string;
  readonly output?: string;
};

/** `events export`: writes a part only when the one before has been taken. A file is there whole or not at all. */
export async function exportToFile(
  { output, ...options }: ExportOptions,
  calling: Calling,
): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok;
  const path = `/api/events/export?${toQuery(options)}`;
  const answer = await readFromService(calling, { path }, async (text) => {
    exit = await write(text, output);
  });
  return answer.isGood ? exit : answer.exit;
}

async function write(text: Readable, output: string | undefined): Promise<ExitCode> {
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
