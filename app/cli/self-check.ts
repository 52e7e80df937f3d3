import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Loaded, loadSettings } from '../../shared/config/load-settings.ts';
import { hashFile, programFile } from '../../shared/config/program-file.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { SelfCheckAnswer } from '../../shared/contract/helper-answers.ts';
import { formatFailure, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { RECORD_VERSION } from '../../shared/contract/update-record.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { hostPlatform } from '../updates/release/host-platform.ts';
import type { WorkerParts, WorkerProcess } from '../worker.ts';

/** What a self-check tries. */
export type SelfCheckParts = {
  readonly program: readonly [string, ...string[]];
  /** Loads all that this program is made of. */
  readonly load: () => Promise<{
    readonly startWorker: (parts: WorkerParts) => Promise<Outcome<WorkerProcess>>;
  }>;
};

/**
 * `--self-check`: a worker is joined from all its parts on a database of its own, which is made and migrated; it opens
 * no port, reads no settings and touches no state of this host. Prints what this program is.
 */
export async function selfCheck(parts: SelfCheckParts): Promise<ExitCode> {
  const folder = mkdtempSync(join(tmpdir(), 'podup-self-check-'));
  try {
    const schema = await tryWorker(parts, folder);
    if (!schema.ok) return complain(formatFailure(schema.failure));
    process.stdout.write(`${JSON.stringify(await describe(schema.value))}\n`);
    return EXIT.ok;
  } catch (error) {
    return complain(String(error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The schema that a worker has brought its database to. */
async function tryWorker(parts: SelfCheckParts, folder: string): Promise<Outcome<number>> {
  const { startWorker } = await parts.load();
  const loaded = loadDefaults(folder);
  makeDirectoryDurably(loaded.paths.intakeDir);
  const worker = await startWorker({
    loaded,
    log: openLog(),
    program: parts.program,
    environment: {},
    isTrial: true,
    // What waits for it fails as well.
    onDeath: () => undefined,
  });
  if (!worker.ok) return worker;
  await worker.value.stop(AbortSignal.abort());
  return succeed(worker.value.schema);
}

/** Standard output is for the answer alone. */
function openLog(): Logger {
  const destination = { write: (line: string) => process.stderr.write(line) };
  return createLogger({ name: 'self-check', level: 'error', secrets: [], destination });
}

/** The settings of a host that has set nothing. */
function loadDefaults(stateDir: string): Loaded {
  const result = loadSettings({ PODUP_STATE_DIR: stateDir });
  if (!result.ok) throw new Error(result.faults.join(' '));
  return result.loaded;
}

function complain(line: string): ExitCode {
  process.stderr.write(`${line}\n`);
  return EXIT.failure;
}

async function describe(schema: number): Promise<SelfCheckAnswer> {
  return {
    ...PROGRAM,
    digest: await hashFile(programFile()),
    schema,
    record: RECORD_VERSION,
    platform: hostPlatform(),
  };
}
