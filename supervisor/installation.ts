import { realpathSync } from 'node:fs';
import { type Failure, fail } from '../shared/contract/outcome.ts';
import { type ProgramPaths, programPaths } from '../shared/contract/state-paths.ts';
import type { Files } from '../shared/fs/files.ts';
import type { WorkerCommand } from './worker/spawn-worker.ts';

/** How this program lies on the disk, and which of its files this process was started as. */
export type Installation = {
  readonly program: ProgramPaths;
  readonly slot: 'target' | 'old' | 'elsewhere';
  /** Why it cannot be updated; null where it can. */
  readonly unavailable: Failure | null;
};

/** What is known of the start of this process. */
export type Started = {
  readonly execPath: string;
  /** Options of Node and the program's file; empty for a single executable. */
  readonly entryArgs: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
};

/** Finds out whether this process runs as the file that updates exchange. */
export function findInstallation({ execPath, entryArgs, environment }: Started): Installation {
  const wanted =
    environment['PODUP_TARGET_BIN'] ||
    environment['TARGET_BIN'] ||
    `${environment['HOME'] ?? ''}/.local/bin/pod-upgrade-trigger`;
  // A link at the target stays a link: what it names is exchanged.
  const program = programPaths(resolve(wanted) ?? wanted);
  const started = entryArgs.at(-1) ?? execPath;
  // Of one that is gone meanwhile the name is left: it must not count for another that is not there.
  const own = resolve(started) ?? started;
  if (own === program.target) return { program, slot: 'target', unavailable: null };
  if (own === resolve(program.old)) return { program, slot: 'old', unavailable: null };
  const { failure } = fail('UPDATE_UNAVAILABLE', `It runs as ${own}, not as ${program.target}.`);
  return { program, slot: 'elsewhere', unavailable: failure };
}

function resolve(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/**
 * How the worker is started: from the target, which an update exchanges under a running supervisor; where nothing that
 * can be run lies there, from the file before it. A program that is not updated starts itself again.
 */
export function workerCommand(
  { program, slot }: Installation,
  { execPath, entryArgs }: Started,
  environment: NodeJS.ProcessEnv,
  files: Files,
): WorkerCommand {
  if (slot === 'elsewhere') {
    return { file: execPath, args: [...entryArgs, 'http-server'], environment };
  }
  const file = canBeRun(program.target, files) ? program.target : program.old;
  const told = { ...environment, PODUP_TARGET_BIN: program.target };
  return { file, args: ['http-server'], environment: told };
}

/** An empty file is taken by the system for a script that does nothing, and well. */
function canBeRun(path: string, files: Files): boolean {
  try {
    const facts = files.facts(path);
    return facts?.isExecutable === true && facts.bytes > 0;
  } catch {
    return false;
  }
}
