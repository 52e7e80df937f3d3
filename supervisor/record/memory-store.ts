import {
  parseQuarantine,
  parseUpdatePolicy,
  type Quarantine,
  type UpdatePolicy,
} from '../../shared/contract/update-history.ts';
import { renameDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import type { Files } from '../../shared/fs/files.ts';
import type { Memory } from '../core/update/machine.ts';
import { NO_MEMORY } from '../core/update/outcome.ts';

/** Where the memory lies. */
export type MemoryPaths = { readonly quarantine: string; readonly updatePolicy: string };

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads policy and quarantine. One that is broken is moved aside and begun anew; `onBroken` is told, for what it held
 * is forgotten.
 */
export function readMemory(
  paths: MemoryPaths,
  files: Files,
  wallMs: number,
  onBroken: (path: string) => void,
): Memory {
  const read = <T>(path: string, parse: (content: string) => T | undefined, none: T): T => {
    const content = readText(path, files);
    if (content === undefined) return none;
    const value = parse(content);
    if (value !== undefined) return value;
    moveAside(path, wallMs, files);
    onBroken(path);
    return none;
  };
  return {
    policy: read(paths.updatePolicy, parseUpdatePolicy, NO_MEMORY.policy),
    quarantine: read(paths.quarantine, parseQuarantine, NO_MEMORY.quarantine),
  };
}

function moveAside(path: string, wallMs: number, files: Files): void {
  try {
    renameDurably(path, `${path}.bad-${wallMs}`, files);
  } catch {
    // On a full disk, say. The service has to run all the same; the next write replaces the file.
  }
}

/** An unreadable file is as good as a broken one. */
function readText(path: string, files: Files): string | undefined {
  try {
    const bytes = files.read(path, MAX_BYTES);
    return bytes && Buffer.from(bytes).toString('utf8');
  } catch {
    return '';
  }
}

/** Makes the policy durable. Throws the system's error. */
export function writePolicy(
  { updatePolicy }: MemoryPaths,
  policy: UpdatePolicy,
  files: Files,
): void {
  writeFileDurably(updatePolicy, `${JSON.stringify(policy)}\n`, 0o600, files);
}

/** Makes the quarantine durable. Throws the system's error. */
export function writeQuarantine(
  { quarantine }: MemoryPaths,
  content: Quarantine,
  files: Files,
): void {
  writeFileDurably(quarantine, `${JSON.stringify(content)}\n`, 0o600, files);
}
