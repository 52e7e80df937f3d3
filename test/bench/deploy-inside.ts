/** The inside of `deploy.ts`: runs as a user of the lab, where systemd, podman and the registry are. */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { DEFAULT_SOAK_MS, Fleet, type Span } from './deploy-fleet.ts';
import { printProfile } from './deploy-profile.ts';
import { median } from './median.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    units: { type: 'string', default: '20' },
    'skip-serial': { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

/** What is to be reached, as a part of what it is measured against. */
const TO_SERIAL = 0.4;
const TO_AUTO_UPDATE = 0.7;
const CONCURRENCY = '4';

function printRow(what: string, spans: readonly Span[]): void {
  const all = spans.map(({ seconds }) => seconds.toFixed(1)).join(' ');
  const took = medianOf(spans).toFixed(1).padStart(7);
  const cpu = median(spans.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1);
  console.log(`${took} s  ${what}  (${all}), ${cpu} s of CPU`);
}

function medianOf(spans: readonly Span[]): number {
  return median(spans.map(({ seconds }) => seconds));
}

/** Prints a ratio beside what is to be reached; false when it is missed. */
function judge(what: string, ratio: number, toReach: number): boolean {
  const isReached = ratio <= toReach;
  const mark = isReached ? '' : '  MISSED';
  console.log(`${ratio.toFixed(2).padStart(7)}    ${what} (to reach <= ${toReach})${mark}`);
  return isReached;
}

const fleet = await Fleet.start(Number(values.units));
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(2)}, Node ${process.version}, ${fleet.size} units`,
);
let isReached = true;

const ours: Span[] = [];
const autoUpdate: Span[] = [];
const restarts: Span[] = [];
for (let round = 0; round < rounds; round++) {
  const measured = await fleet.deploy({ concurrency: CONCURRENCY, waitsMs: '0' });
  ours.push(measured);
  if (values.profile) printProfile(measured.tasks);
  autoUpdate.push(await fleet.autoUpdate());
  restarts.push(await fleet.restart(Number(CONCURRENCY)));
}
console.log(`\nwithout a soak, ${rounds} rounds each`);
printRow(`ours, ${CONCURRENCY} at a time`, ours);
printRow('podman auto-update', autoUpdate);
printRow(`their restarts alone, ${CONCURRENCY} at a time`, restarts);
isReached =
  judge('ours to podman auto-update', medianOf(ours) / medianOf(autoUpdate), TO_AUTO_UPDATE) &&
  isReached;

if (!values['skip-serial']) {
  const serial = await fleet.deploy({ concurrency: '1' });
  const parallel = await fleet.deploy({ concurrency: CONCURRENCY });
  // Else it would not be that soak.
  if (serial.seconds * 1000 < fleet.size * DEFAULT_SOAK_MS) throw new Error('soaked too short');
  console.log(`\nwith the default soak of ${DEFAULT_SOAK_MS / 1000} s, one round each`);
  printRow('ours, one at a time', [serial]);
  printRow(`ours, ${CONCURRENCY} at a time`, [parallel]);
  isReached =
    judge('parallel to serial', parallel.seconds / serial.seconds, TO_SERIAL) && isReached;
}
process.exit(isReached ? 0 : 1);
