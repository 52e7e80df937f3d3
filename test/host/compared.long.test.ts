import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { command, countStarts, served } from '../helpers/lab.ts';
import { until } from '../helpers/until.ts';
import { startServing } from './bad-image-case.ts';
import { BAD_IMAGES, type BadImage, pushBad } from './bad-images.ts';
import { deploy } from './host-fixture.ts';

const PAGE = join(import.meta.dirname, '../../docs/compared.md');
/** A unit that crash-loops does so by then, and one that gets unhealthy is. */
const LOOK_AFTER_MS = 8_000;

/** What became of a unit for which a bad image was pushed. */
type Outcome = {
  readonly says: string;
  readonly serves: string;
  readonly dependents: string;
  readonly again: string;
};

type Host = Awaited<ReturnType<typeof startServing>>;

/** By what is answered. */
const NAMES: Readonly<Record<string, string>> = {
  '': 'nothing',
  v1: 'the old one',
  v2: 'the bad one',
};

const ROWS: { bad: BadImage; theirs: Outcome; ours: Outcome }[] = [];

/** Runs it once, and what it says of the unit. */
function autoUpdate(unit: string): string {
  const script = 'podman auto-update --format json 2> /tmp/said; echo "exit $?" >> /tmp/said';
  const printed = command('sh', '-c', script);
  const entries = (printed.trim() === '' ? [] : JSON.parse(printed)) as Record<string, string>[];
  const said = entries.find(({ Unit }) => Unit === unit)?.['Updated'];
  const exit = /exit (\d+)/.exec(command('cat', '/tmp/said'))?.[1];
  return `${said === undefined ? 'nothing of it' : `"${said}"`}, exit code ${exit}`;
}

async function lookAt({ port, dependents, unit }: Host) {
  const serves = await served(port);
  const active = dependents.filter((dependent) => {
    const state = command('systemctl', '--user', 'show', '--property=ActiveState', dependent);
    return state.trim() === 'ActiveState=active';
  });
  return {
    serves: NAMES[serves ?? ''] ?? 'an error',
    dependents: `${active.length} of ${dependents.length}`,
    starts: countStarts(unit, 'v1') + countStarts(unit, 'v2'),
  };
}

/** Waits for as long as a person would, before he looks whether all is well. */
async function lookLater(host: Host) {
  const fromMs = performance.now();
  await until('some time has passed', 2 * LOOK_AFTER_MS, () => {
    return performance.now() - fromMs > LOOK_AFTER_MS;
  });
  return lookAt(host);
}

function stop({ unit, dependents }: Host): void {
  command('sh', '-c', `systemctl --user stop ${[unit, ...dependents].join(' ')} || :`);
}

async function tryTheirs(name: string, bad: BadImage): Promise<Outcome> {
  const host = await startServing(name, bad);
  pushBad(name, bad);
  const says = autoUpdate(host.unit);
  const { serves, dependents, starts } = await lookLater(host);
  autoUpdate(host.unit);
  const later = await lookAt(host);
  stop(host);
  const again = later.starts > starts ? 'yes' : 'no';
  return { says, serves, dependents, again };
}

async function tryOurs(name: string, bad: BadImage): Promise<Outcome> {
  const host = await startServing(name, bad);
  pushBad(name, bad);
  const { end } = await deploy(host.unit);
  const says = end.status === 'failed' ? `failed, \`${end.failure.code}\`` : end.status;
  const { serves, dependents, starts } = await lookLater(host);
  await deploy(host.unit);
  const later = await lookAt(host);
  stop(host);
  return { says, serves, dependents, again: later.starts > starts ? 'yes' : 'no' };
}

/** The page, aligned as the formatter wants it. */
function toPage(podman: string): string {
  const head = [
    'an image that',
    'podman says',
    'serves',
    'up',
    'again',
    'this says',
    'serves',
    'up',
    'again',
  ];
  const rows = ROWS.map(({ bad, theirs, ours }) => [
    bad.what,
    ...[theirs, ours].flatMap(({ says, serves, dependents, again }) => [
      says,
      serves,
      dependents,
      again,
    ]),
  ]);
  const widths = head.map((word, at) =>
    Math.max(...[head, ...rows].map((row) => row[at]?.length ?? word.length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return `# Compared with podman auto-update

Written by \`test/host/compared.long.test.ts\`, which does this on a real host with ${podman} and systemd user units. A unit
serves an image, and three other units need it, in a row. A bad image is pushed under the same tag. First \`podman
auto-update\` is run, then, for a unit like it, a deployment of this program. "serves" is what answers at the port of the unit
eight seconds later, "up" how many of the three units are active then, "again" whether the same bad image is started once
more when the same is done again.

${line(head)}
${line(widths.map((width) => '-'.repeat(width)))}
${rows.map(line).join('\n')}
`;
}

describe('podman auto-update and this program, with the same bad images', () => {
  after(() => {
    if (ROWS.length === BAD_IMAGES.length) {
      const measured = toPage(command('podman', '--version').trim().replace(' version', ''));
      // What is compared besides stands behind it, and is written by hand.
      const [, ...others] = readFileSync(PAGE, 'utf8').split(/^(?=## )/m);
      writeFileSync(PAGE, [measured, others.join('')].filter((part) => part !== '').join('\n'));
    }
  });

  for (const [index, bad] of BAD_IMAGES.entries()) {
    test(`an image that ${bad.what}`, async () => {
      const theirs = await tryTheirs(`theirs${index}`, bad);
      const ours = await tryOurs(`ours${index}`, bad);
      ROWS.push({ bad, theirs, ours });
      assert.deepEqual(
        [ours.serves, ours.dependents, ours.again],
        ['the old one', '3 of 3', 'no'],
        JSON.stringify(ours),
      );
    });
  }
});
