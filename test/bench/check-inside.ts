/** The inside of `check.ts`: runs as a user of the lab, where podman is. */
import { mkdtempSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkUpdates } from '../../app/checks/check-updates.ts';
import { readWishes } from '../../app/checks/read-wishes.ts';
import { listChecks } from '../../app/checks/view-checks.ts';
import { openStore } from '../../app/db/store.ts';
import { policyDefaults } from '../../app/domain/unit-policy.ts';
import { openLocalHost } from '../../app/host/open-host.ts';
import { listRunning } from '../../app/host/running-images.ts';
import { isSuccess, runCommand } from '../../shared/process/run-command.ts';
import { DEPLOY_SETTINGS } from '../helpers/deploy-settings.ts';
import { CheckFleet } from './check-fleet.ts';
import { median } from './median.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    units: { type: 'string', default: '500' },
    sample: { type: 'string', default: '50' },
    'other-rounds': { type: 'string', default: '1' },
  },
});
const rounds = Number(values.rounds);

/** What is to be reached. */
const SECONDS = 8;
const LIST_MS = 50;

const since = (begun: number) => (performance.now() - begun) / 1_000;

const fleet = await CheckFleet.start(Number(values.units));
const { units } = fleet;
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(2)}, Node ${process.version}`,
);
console.log(
  `${units.length} units with an image each, ${fleet.registries} registries ${fleet.latencyMs} ms away, half of which want tokens`,
);

const host = openLocalHost('user', process.env);
const policy = policyDefaults({ ...DEPLOY_SETTINGS, higherTags: 'minor' });
const ours: number[] = [];
const cpu: number[] = [];
const seen: number[] = [];
const list: number[] = [];
let most = 0;
let requests = 0;
let wrong = 0;
for (let round = 0; round < rounds; round++) {
  await fleet.asked();
  const folder = mkdtempSync(join(tmpdir(), 'podup-check-'));
  const opened = openStore(join(folder, 'data.db'), { version: 'bench', nowMs: 0 });
  if (!opened.ok) throw new Error(opened.failure.detail);
  const store = opened.value;
  const all = units.map(({ unit }) => ({ unit, image: undefined }));
  const lookBegun = performance.now();
  await listRunning(host.run);
  seen.push(since(lookBegun));
  const before = process.threadCpuUsage();
  const begun = performance.now();
  const checked = await checkUpdates(
    {
      ...{ store, host, units: () => all, timeoutMs: 10_000 },
      readWishes: (names) => readWishes(host, policy, names),
      signal: new AbortController().signal,
      lock: () => Promise.resolve(() => undefined),
    },
    { isForced: true },
  );
  ours.push(since(begun));
  const { user, system } = process.threadCpuUsage(before);
  cpu.push((user + system) / 1e6);
  if (!checked.ok) throw new Error(checked.failure.detail);
  const asked = await fleet.asked();
  requests = asked.length;
  const heads = Map.groupBy(
    asked.filter((one) => one.includes(' HEAD ')),
    (one) => one,
  );
  most = Math.max(most, ...[...heads.values()].map(({ length }) => length));
  const listBegun = performance.now();
  const views = listChecks(store, all, 3_600_000, Date.now());
  list.push(since(listBegun) * 1_000);
  wrong = Math.max(wrong, views.filter(({ update }) => update.status !== 'up_to_date').length);
  store.close();
}

const podman: number[] = [];
const skopeo: number[] = [];
let podmanRequests = 0;
let disagreeing = 0;
const sample = units.slice(0, Number(values.sample));
const otherRounds = Number(values['other-rounds']);
for (let round = 0; round < otherRounds; round++) {
  const begun = performance.now();
  const argv = ['podman', 'auto-update', '--dry-run', '--format', '{{.Updated}}'] as const;
  const updated = await runCommand({ argv, timeoutMs: 1_800_000, maxOutputBytes: 1_048_576 });
  podman.push(since(begun));
  if (!isSuccess(updated)) throw new Error(updated.stderr);
  const said = updated.stdout.trim().split('\n');
  disagreeing = said.filter((word) => word !== 'false').length + units.length - said.length;
  podmanRequests = (await fleet.asked()).length;
  const loopBegun = performance.now();
  for (const { image } of sample) {
    const inspected = await runCommand({
      argv: ['skopeo', 'inspect', '--no-tags', '--tls-verify=false', `docker://${image}`],
      timeoutMs: 60_000,
    });
    if (!isSuccess(inspected)) throw new Error(inspected.stderr);
  }
  skopeo.push(since(loopBegun));
  await fleet.asked();
}

const row = (what: string, seconds: readonly number[], digits = 2) => {
  const each = seconds.map((one) => one.toFixed(digits)).join(' ');
  return `${median(seconds).toFixed(digits).padStart(8)}  ${what}  (${each})`;
};
console.log(`\nmedians of ${rounds} rounds, of the others of ${otherRounds}, in seconds`);
console.log(
  row(
    `this program, ${requests} requests, at most ${most} HEAD for a tag (to reach: ${SECONDS} s, 1 HEAD)`,
    ours,
  ),
);
console.log(row('of which podman ps alone', seen));
console.log(row('of CPU for all the rest', cpu));
if (otherRounds > 0) {
  console.log(row(`podman auto-update --dry-run, ${podmanRequests} requests`, podman));
  console.log(row(`skopeo inspect, ${sample.length} of the images one after the other`, skopeo));
  const scaled = skopeo.map((seconds) => (seconds * units.length) / sample.length);
  console.log(row('skopeo inspect, what that comes to for all', scaled));
  console.log(`podman says of ${disagreeing} units something else than that there is nothing new`);
}
console.log(
  `${median(list).toFixed(1)} ms for the list of what is stored (to reach: ${LIST_MS}); ${wrong} units are not up to date`,
);
const isReached =
  median(ours) <= SECONDS &&
  most === 1 &&
  wrong === 0 &&
  disagreeing === 0 &&
  median(list) <= LIST_MS;
if (!isReached) console.log('MISSED');
process.exit(isReached ? 0 : 1);
