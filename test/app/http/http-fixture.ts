import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { openStore, type Store } from '../../../app/db/store.ts';
import { ADMIN_ACCESS } from '../../../app/domain/access.ts';
import { parseImageReference } from '../../../app/domain/image-reference.ts';
import { filterEvents } from '../../../app/events/event-policy.ts';
import { EventWriter } from '../../../app/events/event-writer.ts';
import type { UnitReading } from '../../../app/host/read-unit.ts';
import { createUnitCatalog, type UnitCatalog } from '../../../app/host/unit-catalog.ts';
import { type AdminGate, createAdminGate } from '../../../app/http/admin-gate.ts';
import { createApp } from '../../../app/http/create-app.ts';
import { createLocalServer, listenLocally } from '../../../app/http/local-server.ts';
import { registerAdminApi } from '../../../app/http/routes/admin-api.ts';
import { registerEventsApi } from '../../../app/http/routes/events-api.ts';
import { registerGithubWebhook } from '../../../app/http/routes/github-webhook.ts';
import { registerTasksApi } from '../../../app/http/routes/tasks-api.ts';
import { Intake } from '../../../app/intake/intake.ts';
import { SpoolTaker } from '../../../app/intake/spool-taker.ts';
import { createManualTasks } from '../../../app/tasks/manual-tasks.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { createLogger } from '../../../shared/log/create-logger.ts';
import { checkAnswers } from '../../helpers/check-answers.ts';
import { listedUnits } from '../../helpers/listed-units.ts';

export const TOKEN = 'zgeheim-admin-token';
export const SECRET = 'zgeheim-hook-secret';
export const PREVIOUS_SECRET = 'zgeheim-older-secret';
export const MAX_BODY_BYTES = 4096;

/** Units of the tests: what systemd would say of each. */
const UNITS: Readonly<Record<string, string | undefined>> = {
  'web.service': 'ghcr.io/octo-org/hello',
  'twin.service': 'ghcr.io/octo-org/hello',
  'other.service': 'ghcr.io/octo-org/other:latest',
  'pinned.service': `ghcr.io/octo-org/hello@sha256:${'0a'.repeat(32)}`,
  'shell.service': '',
  'gone.service': undefined,
};

/** Units besides that were found on the host, and what they say for themselves. */
const FOUND = {
  'found.service': {},
  'twin.service': {},
  'off.service': { webhookEnabled: false },
};

/** Those of them that may be deployed by hand. */
const DEPLOYED = ['web.service', 'twin.service', 'other.service'];

/** The application over a real store and a real intake, with the log that it wrote. */
export type TestApp = {
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly events: EventWriter;
  readonly port: number;
  readonly folder: string;
  readonly log: string[];
  /** Whose process was told of a change, and `wake` where there was a new task. */
  readonly told: string[];
  /** Everything that lies in the folder of the test now, each file as text of its bytes. */
  readFiles(): string;
  /** Brings what was answered into the database now. */
  takeOver(): void;
};

type Options = {
  readonly token?: string;
  readonly secrets?: readonly string[];
  /** Actions that leave no event while they go well; health and static unless told. */
  readonly excluded?: readonly string[];
  /** What comes of killing the processes of a task. */
  readonly killed?: Outcome<void>;
  readonly settings?: { readonly sshTarget: string };
  /** Whose word is believed for whom it asks. */
  readonly isProxy?: (address: string | undefined) => boolean;
  /** Called before listening: routes of the test. */
  readonly prepare?: (
    app: FastifyInstance,
    parts: {
      readonly store: Store;
      readonly folder: string;
      readonly log: Logger;
      readonly intake: Intake;
      readonly units: UnitCatalog;
      /** All that webhooks may deploy. */
      readonly listUnits: () => readonly string[];
    },
  ) => void;
};

const deferred = new WeakMap<TestContext, (() => unknown)[]>();

/** Registers what is to be done when the test has ended; the last one first, unlike `after` itself. */
export function defer(context: TestContext, act: () => unknown): void {
  const known = deferred.get(context);
  if (known) {
    known.push(act);
    return;
  }
  const acts = [act];
  deferred.set(context, acts);
  context.after(async () => {
    for (const one of acts.reverse()) await one();
  });
}

/** A folder that is gone when the test ends. */
export function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'podup http é '));
  // A worker that stops gives the processes of its tasks a time to end, and no more: on a busy machine one still writes.
  const patience = { maxRetries: 20, retryDelay: 100 };
  defer(context, () => rmSync(folder, { recursive: true, force: true, ...patience }));
  return folder;
}

/** An open store in a folder of the test. */
export function openTestStore(context: TestContext, folder: string): Store {
  const opened = openStore(join(folder, 'data', 'test.db'), { version: '0.0.0', nowMs: 1 });
  if (!opened.ok) throw new Error(opened.failure.detail);
  defer(context, () => opened.value.close());
  return opened.value;
}

/** Knows who sends this one token. */
export function adminGate(secret: string = TOKEN): AdminGate {
  return createAdminGate({ tokens: [{ name: 'PODUP_TOKEN', secret, access: ADMIN_ACCESS }] });
}

/** A logger that keeps its lines. It masks nothing, so that what is kept out of it is kept out by the caller. */
export function keepLog() {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const log = createLogger({ name: 'test', level: 'trace', secrets: [], destination });
  return { lines, log };
}

/** Starts the application for one test. */
export async function startApp(context: TestContext, options: Options = {}): Promise<TestApp> {
  const folder = makeFolder(context);
  mkdirSync(join(folder, 'intake'));
  const store = openTestStore(context, folder);
  const { lines, log } = keepLog();
  const events = new EventWriter(store.events, log);
  let taker: SpoolTaker | undefined;
  const intake = new Intake({
    folder: join(folder, 'intake'),
    store,
    startTaker: (onTaken) => {
      const started = new SpoolTaker({
        ...{ folder: join(folder, 'intake'), store, log, onTaken },
        rules: { windowMs: 0 },
      });
      taker = started;
      return started;
    },
    onTasks: () => {},
  });
  const excluded = options.excluded ?? ['health', 'static'];
  const { isProxy } = options;
  const app = createApp({
    ...{ log, events: filterEvents(events, excluded) },
    ...(isProxy && { isProxy }),
  });
  const checkAll = checkAnswers(app);
  const secrets = options.secrets ?? [SECRET];
  const hooked = listedUnits(Object.keys(UNITS), FOUND);
  const units = createUnitCatalog(hooked.admit, readTestUnit);
  registerGithubWebhook(app, { log, intake, units, secrets, maxBodyBytes: MAX_BODY_BYTES });
  const release = (unit: string, digest?: string) =>
    Promise.resolve(store.quarantine.release(unit, digest));
  const gate = adminGate(options.token);
  registerAdminApi(app, { store, release, gate });
  registerEventsApi(app, { store, events, gate });
  const told: string[] = [];
  const known = listedUnits(DEPLOYED);
  const tasks = createManualTasks({
    ...{ store, known, imageOf: (unit) => UNITS[unit] ?? null },
    autoUpdateUnit: 'podman-auto-update.service',
    onTask: () => void told.push('wake'),
  });
  const tell = ({ id }: { readonly id: string }) => Promise.resolve(void told.push(id));
  const kill = ({ id }: { readonly id: string }) =>
    Promise.resolve(void told.push(`kill ${id}`)).then(() => options.killed ?? succeed(undefined));
  const settings = { ...options.settings };
  const dispatcher = { tell, kill };
  registerTasksApi(app, { store, gate, settings, known, deployments: tasks, dispatcher });
  const listUnits = () => hooked.list('webhook');
  options.prepare?.(app, { store, folder, log, intake, units, listUnits });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const local = createLocalServer(app, log);
  const listening = await listenLocally(local, statePaths(folder).serviceSocket);
  if (!listening.ok) throw new Error(listening.failure.detail);
  defer(context, async () => {
    app.server.closeAllConnections();
    local.close();
    local.closeAllConnections();
    await app.close();
    await intake.close();
    events.flush();
    checkAll();
  });
  const { port } = app.server.address() as AddressInfo;
  const readFiles = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      .join('\n');
  const takeOver = () => taker?.takeOverNow();
  return { app, store, events, port, folder, log: lines, told, readFiles, takeOver };
}

function readTestUnit(name: string): Promise<Outcome<UnitReading>> {
  const text = UNITS[name];
  if (text === undefined) return Promise.resolve(fail('UNIT_NOT_FOUND', ''));
  return Promise.resolve(
    succeed({
      name,
      activeState: 'active',
      subState: 'running',
      result: 'success',
      mainPid: 1,
      needsReload: false,
      pullsItself: false,
      isAutoUpdated: false,
      ...{
        playsKube: null,
        isInPod: false,
        sourcePath: '',
        fragmentPath: '',
        bindsTo: [],
        dropInPaths: [],
        requires: [],
      },
      image: parseImageReference(text),
    }),
  );
}

/** A request as it goes over the wire; `body` chunked where no content-length is given. */
export type Asked = {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body; empty where it is no JSON object. */
  readonly json: Readonly<Record<string, unknown>>;
};

/** Sends one request on a connection of its own. */
export async function ask(port: number, asked: Asked): Promise<Answer> {
  const { method = 'GET', path, headers = {}, body } = asked;
  // Said explicitly, so that a `close` in the answer is the server's own wish.
  const all = { connection: 'keep-alive', ...headers };
  const sent = request({ host: '127.0.0.1', port, method, path, headers: all, agent: false });
  sent.end(body);
  const [response] = await once(sent, 'response');
  // What follows the answer is a refusal of the rest of the body.
  sent.on('error', () => {});
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  const isJson = /[/+]json\b/.test(response.headers['content-type'] ?? '') && text !== '';
  const { statusCode: status, headers: answered } = response;
  return { status, headers: answered, text, json: isJson ? JSON.parse(text) : {} };
}

/** Reads as an admin. */
export function askAdmin(port: number, path: string): Promise<Answer> {
  return ask(port, { path, headers: { authorization: `Bearer ${TOKEN}` } });
}

/** The signature that the sender would make. */
export function sign(body: string | Buffer, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** The headers of a good delivery. */
export function deliveryHeaders(
  body: string | Buffer,
  rest: Readonly<Record<string, string>> = {},
) {
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'x-hub-signature-256': sign(body),
    'x-github-event': 'package',
    'x-github-delivery': randomUUID(),
    ...rest,
  };
}

/** Posts a signed delivery for a unit. */
export function deliver(
  port: number,
  service: string,
  body: string | Buffer,
  rest?: Readonly<Record<string, string>>,
): Promise<Answer> {
  const path = `/github-package-update/${service}`;
  return ask(port, { method: 'POST', path, headers: deliveryHeaders(body, rest), body });
}
