import { statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What shows without a process that podman and the service manager of this host are there: another text, another answer. */
export type HostTraces = { readonly podman: string; readonly manager: string };

/** Looks at names only. `isSystem`: the manager of the system, not of this user. */
export function readHostTraces(environment: NodeJS.ProcessEnv, isSystem: boolean): HostTraces {
  const folders = (environment['PATH'] ?? '').split(delimiter);
  const runtime = isSystem ? '/run' : (environment['XDG_RUNTIME_DIR'] ?? '');
  return {
    podman: folders.map((folder) => describe(join(folder, 'podman'))).find(Boolean) ?? '',
    // Where systemctl finds it first; a bus that was handed in from elsewhere leaves no trace here.
    manager: runtime === '' ? '' : describe(join(runtime, 'systemd/private')),
  };
}

function describe(path: string): string {
  try {
    const { dev, ino, size, mtimeMs } = statSync(path);
    return [path, dev, ino, size, mtimeMs].join(' ');
  } catch {
    return '';
  }
}
