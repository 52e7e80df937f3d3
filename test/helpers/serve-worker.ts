import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startWorker } from '../../app/worker.ts';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { NO_CLOCK } from '../../shared/config/no-clock.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { defer, keepLog, SECRET, TOKEN } from '../app/http/http-fixture.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/pod-upgrade-trigger.ts');
/** No user manager, whatever the machine has: neither for this process nor for its tasks. */
const NO_MANAGER = {
  XDG_RUNTIME_DIR: '/proc/none',
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
};

/** A worker that serves over HTTP in this process. */
export type ServingWorker = {
  readonly port: number;
  readonly lines: readonly string[];
  /** To its end, at once or when the test has ended. */
  readonly stop: () => Promise<void>;
};

/** Starts a worker as `http-server` makes it, on a folder that may have served before; nothing is done by the clock. */
export async function serveWorker(
  context: TestContext,
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ServingWorker> {
  Object.assign(process.env, NO_MANAGER);
  const environment = {
    ...{ PATH: process.env['PATH'], ...NO_MANAGER, PODUP_STATE_DIR: folder, PODUP_TOKEN: TOKEN },
    ...{ PODUP_GH_WEBHOOK_SECRET: SECRET, PODUP_MANUAL_UNITS: 'web, api' },
    // Missed deliveries are looked for after the start.
    ...{ ...NO_CLOCK, PODUP_MISSED_DELIVERIES_CRON: '0 0 1 1 *' },
    ...{ PODUP_STOP_TIMEOUT_MS: '2000', ...settings },
  };
  const result = loadSettings(environment);
  assert.ok(result.ok, JSON.stringify(result));
  makeDirectoryDurably(result.loaded.paths.intakeDir);
  const { lines, log } = keepLog();
  const started = await startWorker({
    ...{ loaded: result.loaded, log, environment, program: [process.execPath, SCRIPT] },
    onDeath: (error) => {
      throw error;
    },
  });
  assert.ok(started.ok, JSON.stringify(started));
  const { app, stop } = started.value;
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  const end = () => {
    stopped ??= stop();
    return stopped;
  };
  defer(context, end);
  return { port, lines, stop: end };
}
