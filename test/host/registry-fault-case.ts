import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { openLocalHost } from '../../app/host/open-host.ts';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { isSuccess, runCommand } from '../../shared/process/run-command.ts';
import { command, countStarts, pushImage, startUnit } from '../helpers/lab.ts';
import { type Fault, type FaultProxy, startFaultProxy, type Target } from './fault-proxy.ts';
import { deploy, openSharedStore } from './host-fixture.ts';

const PASSWORD = 'hunter2-hunter2';
const LOGIN = Buffer.from(`robot:${PASSWORD}`).toString('base64');
/** More units than a machine has cores: rows wait for podman, and that waits for the registry. */
export const LANES = ['one', 'two', 'three', 'four', 'five'];

const servers: FaultProxy[] = [];
/** The registry of the units, which wants a login. */
export const proxy = () => servers[0] as FaultProxy;
/** Another host, which has everything as well. */
export const other = () => servers[1] as FaultProxy;
/** One more, which wants a login that nobody has. */
export const asking = () => servers[2] as FaultProxy;

export type Expected =
  | readonly ['succeeded']
  | readonly ['failed', ErrorCode, detail: RegExp]
  /** It waits, so long by what it says. */
  | readonly ['deferred', ErrorCode, detail: RegExp, waitMs: number];
type More = Parameters<typeof deploy>[1] & {
  /** Where a redirect leads, and what is wrong there. */
  readonly to?: () => FaultProxy;
  readonly there?: Fault;
  /** The next attempt, with nothing wrong any more, brings the image. */
  readonly recovers?: true;
};
export type Row = readonly [title: string, at: readonly Target[], Fault, Expected, More?];

/** By the service of podman, as tasks do; the other tests of this folder run its commands. */
const served = openLocalHost('user', process.env, { sockets: 'all' });

/** Units that no row has at the moment, and what version each runs. */
const free: string[] = [];
const running = new Map(LANES.map((lane) => [lane, 'v0']));
let versions = 0;

/** Starts the servers, and a unit for each lane that runs an image of the first one. */
export async function startLanes(): Promise<void> {
  const authorization = `Basic ${LOGIN}`;
  const registry = process.env['LAB_REGISTRY'] ?? '';
  servers.push(await startFaultProxy({ address: '127.0.0.1', registry, authorization }));
  servers.push(await startFaultProxy({ address: '127.0.0.2', registry }));
  servers.push(await startFaultProxy({ address: '127.0.0.3', registry, authorization: 'none' }));
  const folder = `${process.env['HOME']}/.config/containers`;
  mkdirSync(folder, { recursive: true });
  const rules = [proxy().host, registry].map(
    (host) => `[[registry]]\nlocation = "${host}"\ninsecure = true\n`,
  );
  writeFileSync(`${folder}/registries.conf`, rules.join('\n'));
  process.env['CONTAINERS_REGISTRIES_CONF'] = `${folder}/registries.conf`;
  const auths = { [proxy().host]: { auth: LOGIN } };
  writeFileSync(`${folder}/auth.json`, JSON.stringify({ auths }));
  for (const lane of LANES) {
    pushImage(`${lane}:stable`, 'v0');
    const image = imageOf(lane);
    // Not by the unit: starting it holds up this process, and so the registry.
    const pulled = await runCommand({ argv: ['podman', 'pull', '-q', image], timeoutMs: 30_000 });
    assert.ok(isSuccess(pulled), pulled.stderr);
    startUnit(lane, image, 8300 + LANES.indexOf(lane));
    free.push(lane);
  }
}

export function stopServers(): void {
  void served.close();
  for (const server of servers) server.close();
}

const imageOf = (lane: string) => `${proxy().host}/${lane}:stable`;

/** What runs, and what the tag of the unit means. */
function look(lane: string) {
  const format = '{{.Id}} {{.Image}} {{.Config.Image}}';
  const container = command('podman', 'container', 'inspect', '--format', format, lane).trim();
  const tag = command('podman', 'image', 'inspect', '--format', '{{.Id}}', imageOf(lane)).trim();
  return { container, tag, starts: countRunning(lane) };
}

/** How often the container that runs has started. */
function countRunning(lane: string): number {
  return countStarts(`${lane}.service`, `${running.get(lane)}`);
}

async function hasImage(name: string): Promise<boolean> {
  const argv = ['podman', 'image', 'exists', name] as const;
  return isSuccess(await runCommand({ argv, timeoutMs: 10_000 }));
}

/** Lets one row happen to a unit that no other row has at the moment. */
export async function checkRow(row: Row): Promise<void> {
  const lane = free.shift() ?? assert.fail('no unit is free');
  await check(lane, row).finally(() => free.push(lane));
}

async function check(lane: string, [, at, fault, expected, more = {}]: Row): Promise<void> {
  const { to, there, recovers, ...options } = more;
  const unit = `${lane}.service`;
  const before = look(lane);
  versions++;
  const version = `v${versions}`;
  const { digest } = pushImage(`${lane}:stable`, version);
  const assertRuns = (found: string | undefined) => {
    running.set(lane, version);
    assert.deepEqual([found, countRunning(lane)], [digest, 1]);
  };
  await proxy().setFault(lane, at, fault);
  if (there) await to?.().setFault(lane, at, there);
  const seenBefore = to?.().seen.length ?? 0;
  const { end, evidence, task } = await deploy(unit, { host: served, ...options });
  assert.ok(proxy().countStruck(lane) > 0, 'nothing was asked for');
  const isSeen = ({ path }: { path: string }) => path.startsWith(`/v2/${lane}/`);
  if (to) assert.ok(to().seen.slice(seenBefore).some(isSeen), 'the redirect was not followed');
  await proxy().setFault(lane, at, undefined);
  await to?.().setFault(lane, at, undefined);
  const [verdict, code, detail, waitMs] = expected;
  assert.equal(end.status, verdict, JSON.stringify(end));
  if (end.status === 'succeeded') return assertRuns(evidence.running_digest);
  const said = end.status === 'failed' ? `${end.failure.code}: ${end.failure.detail}` : end.summary;
  assert.ok(said.includes(`${code}: `), said);
  assert.match(said, detail as RegExp);
  if (end.status === 'deferred') {
    const offMs = end.notBeforeMs - Date.now() - (waitMs ?? 0);
    assert.ok(offMs <= 0 && offMs > -20_000, `${offMs} ms off: ${said}`);
  }
  assert.deepEqual(look(lane), before);
  assert.equal(before.starts, 1);
  for (const known of [digest, evidence.registry_digest ?? digest]) {
    assert.equal(await hasImage(imageOf(lane).replace(/:stable$/, `@${known}`)), false);
    assert.equal(openSharedStore().quarantine.find(unit, known, Date.now()), undefined);
  }
  if (!recovers) return;
  // One that waits goes on; one that has failed is over, and the next push makes another.
  const same = end.status === 'deferred' ? { task } : {};
  const again = await deploy(unit, { host: served, ...same, rateLimitWaits: 1 });
  assert.equal(again.end.status, 'succeeded', JSON.stringify(again.end));
  assertRuns(again.evidence.running_digest);
}
