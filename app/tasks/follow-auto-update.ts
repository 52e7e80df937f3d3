import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Settings } from '../../shared/config/settings.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import type { Store } from '../db/store.ts';
import { AutoUpdateLogImporter } from './import-auto-update-logs.ts';
import { AUTO_UPDATE_UNIT } from './run-podman-auto-update.ts';
import { watchTimerRuns } from './watch-timer-runs.ts';

/** What is needed to hear of runs that somebody else has begun. */
export type FollowParts = {
  readonly settings: Pick<
    Settings,
    'autoUpdateUnit' | 'autoUpdateLogDir' | 'autoUpdateLogQuietS' | 'sshTarget'
  >;
  readonly environment: NodeJS.ProcessEnv;
  readonly store: Store;
  readonly run: RunCommand;
  readonly log: Logger;
  readonly onSeen: (
    name: string,
    facts: {
      readonly taskId?: string | undefined;
      readonly warnings?: number;
      readonly summary?: string;
    },
  ) => void;
};

/**
 * Hears of runs of podman's auto-update that this program has not begun: by podman's own timer, from the journal, and by a
 * wrapper, from the logs that it writes on this host. Each is recorded once.
 */
export function followAutoUpdate(parts: FollowParts): { start(): void; close(): Promise<void> } {
  const { settings, environment, store, run, log, onSeen } = parts;
  const timer = watchTimerRuns({
    ...{ store, run, log, unit: AUTO_UPDATE_UNIT },
    onRun: (name, summary, taskId) => onSeen(name, { taskId, summary }),
  });
  const { autoUpdateLogDir, autoUpdateUnit: unit, autoUpdateLogQuietS, sshTarget } = settings;
  const home = environment['HOME'];
  const usual = home === undefined ? undefined : join(home, '.local/share/podman-auto-update/logs');
  const folder = autoUpdateLogDir ?? usual;
  const logs =
    folder === undefined || sshTarget !== undefined
      ? undefined
      : new AutoUpdateLogImporter({
          ...{ folder, unit, store, log, quietMs: autoUpdateLogQuietS * 1000 },
          onImported: (name, taskId, warnings) => onSeen(name, { taskId, warnings }),
        });
  return {
    start() {
      timer.start();
      logs?.start();
    },
    async close() {
      timer.close();
      await logs?.close();
    },
  };
}
