/**
 * How long `GET /api/manual/services` takes with 500 units that were found and checked for updates, how many processes it
 * starts, and what watching 100 unit files costs at rest. Exit code 0: all is reached, 1: something is missed.
 *   node test/bench/services.ts [--units N] [--asks N] [--quiet SECONDS]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openStore } from '../../app/db/store.ts';
import { findFreePort } from './servers.ts';

const { values } = parseArgs({
  options: {
    units: { type: 'string', default: '500' },
    asks: { type: 'string', default: '200' },
    quiet: { type: 'string', default: '30' },
  },
});
const [unitCount, asks, quietS] = [values.units, values.asks, values.quiet].map(Number) as [
  number,
  number,
  number,
];

/** What is to be reached. */
const MAX_MS = 50;
const MAX_PROCESSES = 0.1;
const MAX_IDLE_PERCENT = 0.2;
const WATCHED = 100;

const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'bench-token-of-no-use';
const SETTLE_MS = 3_000;
/** Of the kernel's clock of processes, see proc_pid_stat(5). */
const TICKS_PER_SECOND = 100;

let isReached = true;
const folder = mkdtempSync(join(tmpdir(), 'podup-bench-services-'));
try {
  await measureList();
  await measureRest();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = isReached ? 0 : 1;

/** Says what was measured beside what is to be reached. */
function say(what: string, value: number, unit: string, limit: number): void {
  const isGood = value <= limit;
  isReached &&= isGood;
  console.log(
    `${what}: ${value.toFixed(2)} ${unit} (at most ${limit}) ${isGood ? 'ok' : 'MISSED'}`,
  );
}

async function measureList(): Promise<void> {
  const place = makePlace('list');
  fill(join(place.state, 'data/pod-upgrade-trigger.db'));
  // What was found stays: no place can be looked into.
  await using server = await serve(place, 'exit 1');
  await delay(SETTLE_MS);
  const before = countProcesses(place);
  const ticks = readTicks(server.pid);
  const times: number[] = [];
  let bytes = 0;
  for (let ask = 0; ask < asks; ask += 1) {
    const startedAt = performance.now();
    const answer = await fetch(`${server.url}/api/manual/services`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const text = await answer.text();
    times.push(performance.now() - startedAt);
    bytes = text.length;
    const { services } = JSON.parse(text) as { services: unknown[] };
    if (services.length !== unitCount)
      throw new Error(`${services.length} units: ${text.slice(0, 300)}`);
  }
  times.sort((a, b) => a - b);
  const at = (part: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  console.log(`${unitCount} units, ${(bytes / 1024).toFixed(0)} KiB, ${asks} requests one by one`);
  say('median', at(0.5), 'ms', MAX_MS);
  const used = ((readTicks(server.pid) - ticks) / TICKS_PER_SECOND / asks) * 1000;
  say('CPU of the service for each', used, 'ms', MAX_MS);
  // What else the machine does decides about these.
  const rest = `95th percentile ${at(0.95).toFixed(2)} ms, the longest ${at(1).toFixed(2)} ms`;
  console.log(`${rest}; load ${loadavg()[0]?.toFixed(2)} on ${availableParallelism()} cores`);
  // Health looks at the host by the clock meanwhile.
  const started = (countProcesses(place) - before) / asks;
  say('processes started for each', started, '', MAX_PROCESSES);
}

async function measureRest(): Promise<void> {
  const place = makePlace('rest');
  const quadlets = join(place.home, '.config/containers/systemd');
  mkdirSync(quadlets, { recursive: true });
  for (let at = 0; at < WATCHED; at += 1) {
    const text = `[Container]\nImage=ghcr.io/octo-org/app${at}:stable\nAutoUpdate=registry\n`;
    writeFileSync(join(quadlets, `app${at}.container`), text);
  }
  await using server = await serve(
    place,
    `case "$*" in *ps*) echo '[]';; *) echo "UnitPath=${quadlets}";; esac`,
  );
  await delay(SETTLE_MS);
  const answer = await fetch(`${server.url}/api/manual/services`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const { services } = (await answer.json()) as { services: unknown[] };
  if (services.length !== WATCHED) throw new Error(`${services.length} units were found`);
  await delay(SETTLE_MS);
  const before = readTicks(server.pid);
  await delay(quietS * 1000);
  const used = (readTicks(server.pid) - before) / TICKS_PER_SECOND;
  say(
    `CPU at rest over ${quietS} s, ${WATCHED} files watched`,
    (used / quietS) * 100,
    '%',
    MAX_IDLE_PERCENT,
  );
}

type Place = {
  readonly state: string;
  readonly home: string;
  readonly bin: string;
  readonly started: string;
};

function makePlace(name: string): Place {
  const [state, home, bin] = ['state', 'home', 'bin'].map((one) => join(folder, name, one)) as [
    string,
    string,
    string,
  ];
  for (const one of [join(state, 'data'), home, bin]) mkdirSync(one, { recursive: true });
  return { state, home, bin, started: join(folder, name, 'started') };
}

/** Every program of the host that the service would run writes down that it was started. */
async function serve(place: Place, script: string) {
  for (const name of ['podman', 'systemctl', 'busctl', 'systemd-run', 'journalctl', 'loginctl']) {
    writeFileSync(
      join(place.bin, name),
      `#!/bin/sh\necho ${name} >>'${place.started}'\n${script}\n`,
    );
    chmodSync(join(place.bin, name), 0o755);
  }
  const port = await findFreePort();
  const program = join(ROOT, 'scripts/pod-upgrade-trigger.ts');
  const child = spawn(process.execPath, [program, 'http-server'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: `${place.bin}:${process.env['PATH']}`,
      HOME: place.home,
      XDG_RUNTIME_DIR: join(place.home, 'run'),
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
      PODUP_STATE_DIR: place.state,
      PODUP_HTTP_ADDR: `127.0.0.1:${port}`,
      PODUP_TOKEN: TOKEN,
      PODUP_LOG_LEVEL: 'fatal',
    },
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    const isServing = await fetch(`${url}/health/self`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isServing) break;
    if (tries > 300 || child.exitCode !== null) throw new Error('the service does not start');
    await delay(100);
  }
  return {
    url,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function countProcesses({ started }: Place): number {
  try {
    return readFileSync(started, 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
}

/** Of user and system, with those children that have ended (proc_pid_stat(5), fields 14 to 17). */
function readTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
}

function fill(path: string): void {
  const opened = openStore(path, { version: '0.0.0', nowMs: 1_000 });
  if (!opened.ok) throw new Error(opened.failure.detail);
  const store = opened.value;
  const names = Array.from({ length: unitCount }, (_, at) => `app-${at}.service`);
  const now = Date.now();
  const digest = `sha256:${'0a'.repeat(32)}`;
  const found = names.map((unit, at) => ({
    ...{ unit, path: `/home/user/.config/containers/systemd/app-${at}.container`, fault: null },
    ...{ image: `ghcr.io/octo-org/app-${at}:stable`, isAutoUpdated: true, hasPolicy: at % 2 === 0 },
    webhookEnabled: null,
  }));
  store.transact(() => {
    for (const source of ['quadlet', 'unit-file', 'podman'] as const) {
      store.discovered.record('user localhost', source, found, now);
    }
    for (const [at, unit] of names.entries()) {
      const image = `ghcr.io/octo-org/app-${at}:stable`;
      const latestImage = `ghcr.io/octo-org/app-${at}:latest`;
      store.updateChecks.put({
        ...{ unit, image, latestImage, platform: 'linux/amd64', containers: [[digest]] },
        ...{ seenAt: now, failure: null, higher: null, checkedAt: now },
      });
      for (const tag of [image, latestImage]) {
        store.registryAnswers.noteTag(tag, { digest, isIndex: true }, now);
      }
      store.registryAnswers.noteManifest(digest, 'linux/amd64', digest);
    }
  });
  store.close();
}
