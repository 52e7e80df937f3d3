import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { openStore, type Store } from '../../../../app/db/store.ts';
import { keepSecret } from '../../../../app/hooks/hook-secrets.ts';
import { startWorker } from '../../../../app/worker.ts';
import { loadSettings } from '../../../../shared/config/load-settings.ts';
import { deliveryRow } from '../../../helpers/delivery-row.ts';
import { publish } from '../../../helpers/release.ts';
import { newTask } from '../../../helpers/store.ts';
import { storedHook } from '../../../helpers/stored-hook.ts';
import { container, published } from '../../domain/package-body.ts';
import { openFakeChannel } from '../../updates/fake-channel.ts';
import { fakeRelease } from '../../updates/release/release-fixture.ts';
import { updateStatus } from '../../updates/update-fixture.ts';
import { keepLog, SECRET, TOKEN } from '../http-fixture.ts';

/** A worker with everything that it serves, and something of everything in its database. */
export type World = {
  readonly app: FastifyInstance;
  readonly port: number;
  /** Of its database. */
  readonly database: string;
  /** Has failed, and has a log and a delivery. */
  readonly ended: string;
  /** Waits; nothing begins it. */
  readonly waiting: string;
  /** So does this one. */
  readonly alsoWaiting: string;
  /** Of a quarantined image of web.service. */
  readonly digest: string;
  stop(): Promise<void>;
};

const ENDED = `tsk_${'0'.repeat(18)}1`;
const WAITING = `tsk_${'0'.repeat(18)}2`;
const ALSO_WAITING = `tsk_${'0'.repeat(18)}3`;
const DIGEST = `sha256:${'ab'.repeat(32)}`;

/** Starts it in a folder, with some more settings: on trial, so that nothing begins, under a supervisor that says yes to everything. */
export async function serveAll(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
  log = keepLog().log,
): Promise<World> {
  const environment = {
    PATH: process.env['PATH'],
    // No user manager, whatever the machine has.
    XDG_RUNTIME_DIR: '/proc/none',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
    PODUP_STATE_DIR: folder,
    PODUP_TOKEN: TOKEN,
    // Wrong ones are shown on every route, and not one after the other over hours.
    PODUP_FAILED_LIMIT_COUNT: '10000',
    PODUP_FAILED_TOTAL_LIMIT_COUNT: '1000000',
    PODUP_GH_WEBHOOK_SECRET: SECRET,
    PODUP_MANUAL_UNITS: 'web, api',
    PODUP_STOP_TIMEOUT_MS: '2000',
    PODUP_RELEASE_BASE_URL: publishRelease(folder),
    PODUP_PUBLIC_BASE_URL: 'https://deploy.example.com',
    ...settings,
  };
  const result = loadSettings(environment);
  assert.ok(result.ok, JSON.stringify(result));
  const { loaded } = result;
  mkdirSync(loaded.paths.intakeDir, { recursive: true });
  fill(loaded.paths.database);
  const fake = openFakeChannel(() => ({ txn: 'upd_7' }));
  const started = await startWorker({
    loaded,
    log,
    program: [process.execPath, join(folder, 'nothing')],
    environment,
    channel: { ...fake.channel, onCommand: () => () => undefined },
    isTrial: true,
    onDeath: (error) => {
      throw error;
    },
  });
  assert.ok(started.ok, JSON.stringify(started));
  const { app, stop } = started.value;
  fake.say(updateStatus());
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    app,
    port,
    database: loaded.paths.database,
    ended: ENDED,
    waiting: WAITING,
    alsoWaiting: ALSO_WAITING,
    digest: DIGEST,
    stop,
  };
}

/** What opens the hook of the test. */
export const HUB_SECRET = `puh_${'a'.repeat(43)}`;

function publishRelease(folder: string): string {
  const releases = join(folder, 'releases');
  mkdirSync(releases);
  publish(releases, fakeRelease(releases, { version: '99.1.0' }));
  return releases;
}

function fill(path: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const opened = openStore(path, { version: '0.0.0', nowMs: 1_000 });
  assert.ok(opened.ok);
  const store: Store = opened.value;
  store.tasks.insert(newTask({ id: ENDED, kind: 'manual', trigger_reason: 'to see it' }));
  store.tasks.insert(newTask({ id: WAITING, kind: 'manual', unit: 'api.service' }));
  store.tasks.insert(newTask({ id: ALSO_WAITING, kind: 'manual', unit: 'db.service' }));
  const run = { id: ENDED, attempts: 1 };
  store.tasks.markDispatched(ENDED, 'child', 2_000);
  store.tasks.claim(run, 2_001);
  store.taskLogs.append({
    ...{ task_id: ENDED, ts: 2_002, level: 'info', action: 'plan' },
    ...{ summary: 'began', meta: '{"argv":["podman","pull"]}' },
  });
  const failure = { errorCode: 'PULL_FAILED', errorDetail: 'no route' } as const;
  store.tasks.finish(run, { status: 'failed', summary: 'It failed.', at: 3_000, ...failure });
  const image = { image: 'ghcr.io/o/web:main', digest: DIGEST };
  store.deliveries.insert(deliveryRow({ received_at: 900, task_id: ENDED, ...image }));
  store.deliveryBodies.keep('dlv_1', 900, Buffer.from(JSON.stringify(published(container()))));
  const by = { at: 1_000, by: 'admin' };
  const hub = { ...storedHook('hub'), source: 'docker-hub', scheme: 'path-secret' } as const;
  store.storedHooks.insert(hub, by);
  const making = { id: 'sec_hub', createdAt: 1_000, createdBy: 'admin' };
  store.storedHooks.addSecret('hub', keepSecret('hub', HUB_SECRET, making));
  store.quarantine.add({
    ...{ unit: 'web.service', digest: DIGEST, image_id: null, image: 'ghcr.io/o/web:main' },
    ...{ code: 'GATE_UNHEALTHY', detail: 'It was unhealthy.', at: 3_000, expires_at: null },
  });
  store.quarantine.add({
    ...{ unit: 'api.service', digest: DIGEST, image_id: null, image: 'ghcr.io/o/api:main' },
    ...{ code: 'GATE_UNHEALTHY', detail: '', at: 3_000, expires_at: null },
  });
  store.rateLimits.add('image:ghcr.io_o_web_main', Date.now(), 1_000);
  const [now, kind] = [Date.now(), 'admin'] as const;
  const tally = { kind, address: '192.0.2.7', since: now, count: 1, refused: 0 };
  store.failedCredentials.save({ changed: [{ ...tally, last_at: now, good_at: 0 }], gone: [] });
  store.close();
}
