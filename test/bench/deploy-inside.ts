/** The inside of `deploy.ts`: runs as a user of the lab, where systemd, podman and the registry are. */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Fleet } from './deploy-fleet.ts';
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

type Row = { readonly what: string; readonly seconds: readonly number[] };

function printRow({ what, seconds }: Row): void {
  const all = seconds.map((each) => each.toFixed(1)).join(' ');
  console.log(`${median(seconds).toFixed(1).padStart(7)} s  ${what}  (${all})`);
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

const ours: number[] = [];
const autoUpdate: number[] = [];
for (let round = 0; round < rounds; round++) {
  const measured = await fleet.deploy({ concurrency: CONCURRENCY, soakMs: '0' });
  ours.push(measured.seconds);
  if (values.profile) printProfile(measured.tasks);
  autoUpdate.push(await fleet.autoUpdate());
}
console.log(`\nwithout a soak, ${rounds} rounds each`);
printRow({ what: `ours, ${CONCURRENCY} at a time`, seconds: ours });
printRow({ what: 'podman auto-update', seconds: autoUpdate });
isReached =
  judge('ours to podman auto-update', median(ours) / median(autoUpdate), TO_AUTO_UPDATE) &&
  isReached;

if (!values['skip-serial']) {
  const serial = await fleet.deploy({ concurrency: '1' });
  const parallel = await fleet.deploy({ concurrency: CONCURRENCY });
  console.log('\nwith the default soak of 10 s, one round each');
  printRow({ what: 'ours, one at a time', seconds: [serial.seconds] });
  printRow({ what: `ours, ${CONCURRENCY} at a time`, seconds: [parallel.seconds] });
  isReached =
    judge('parallel to serial', parallel.seconds / serial.seconds, TO_SERIAL) && isReached;
}
process.exit(isReached ? 0 : 1);
