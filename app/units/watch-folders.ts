import { type FSWatcher, watch } from 'chokidar';
import type { Logger } from 'pino';

/** Tells of changes in folders of unit files. */
export type FolderWatch = {
  /** From now on these, and no others. */
  follow(folders: readonly string[]): void;
  close(): Promise<void>;
};

type Parts = {
  readonly onChange: () => void;
  readonly log: Logger;
  /** How long nothing more has to change; a daemon-reload writes every unit anew. */
  readonly quietMs?: number;
};

const QUIET_MS = 500;
/** Folders below those of Quadlet. */
const DEPTH = 8;
/** What a unit can be made of; other files in these folders are nobody's business here. */
const OURS = /\.(?:container|kube|image|build|service|conf)$/;

/** Watches folders of this host. The kernel tells: at rest it costs nothing. What it misses the next sweep finds. */
export function watchFolders({ onChange, log, quietMs = QUIET_MS }: Parts): FolderWatch {
  let followed = '';
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const tell = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      onChange();
    }, quietMs);
  };

  return {
    follow(folders) {
      const wanted = folders.join('\n');
      if (wanted === followed || isClosed) return;
      followed = wanted;
      void watcher?.close();
      watcher = watch([...folders], {
        ...{ ignoreInitial: true, ignorePermissionErrors: true, persistent: false, depth: DEPTH },
        ignored: (path, stats) => (stats?.isFile() ?? false) && !OURS.test(path),
      })
        .on('all', tell)
        // What has changed before the watch began told nobody.
        .on('ready', tell)
        .on('error', (error) => log.warn({ err: error }, 'changes of unit files are found late'));
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await watcher?.close();
    },
  };
}
