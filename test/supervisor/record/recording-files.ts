import { basename } from 'node:path';
import { type Files, realFiles } from '../../../shared/fs/files.ts';

/** The operations that change something on the disk. */
const CHANGES = [
  ...['create', 'openToAppend', 'write', 'sync', 'syncDirectory', 'rename', 'link', 'unlink'],
  ...['makeDirectory', 'removeTree'],
] as const;

/** The real file system, but for waiting for the disk: no test pulls the plug. */
export const quickFiles: Files = {
  ...realFiles,
  sync: () => undefined,
  syncDirectory: () => undefined,
};

/**
 * The same, with a list of the changes that were asked of it. The `failAt`-th of them is refused as a
 * broken disk refuses it: nothing is done, and the error is the system's.
 */
export function recordingFiles(failAt = 0) {
  const changes: string[] = [];
  const record = (name: string, args: readonly unknown[]) => {
    const paths = args.filter((arg) => typeof arg === 'string');
    changes.push([name, ...paths.map((path) => withoutChance(basename(path)))].join(' '));
    if (changes.length !== failAt) return;
    throw Object.assign(new Error('EIO: broken disk'), { code: 'EIO' });
  };
  const wrapped = CHANGES.map((name) => {
    const real = quickFiles[name as keyof Files] as (...args: readonly unknown[]) => unknown;
    const act = (...args: readonly unknown[]) => {
      record(name, args);
      return real(...args);
    };
    return [name, act] as const;
  });
  const files: Files = { ...quickFiles, ...Object.fromEntries(wrapped) };
  return { files, changes };
}

/** Names of files aside hold the process id and a random part. */
function withoutChance(name: string): string {
  return name.replace(/\.\d+\.[0-9a-z]+\.tmp$/, '.tmp');
}
