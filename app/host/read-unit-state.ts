import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import type { UnitSample } from '../domain/gate.ts';
import { explainManager } from './systemctl.ts';

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** More units than depend on one anywhere: what bounds a look at a graph with a loop in it. */
const MAX_DEPENDENTS = 256;

/** By what systemd stops other units together with one (systemd.unit(5): Requires=, BindsTo=, PartOf=, reversed). */
const STOPPED_WITH = ['RequiredBy', 'BoundBy', 'ConsistsOf'] as const;

const DEPENDED = ['Id', 'ActiveState', ...STOPPED_WITH] as const;
const SAMPLED = [
  ...(['LoadState', 'ActiveState', 'SubState', 'Result', 'MainPID', 'NRestarts'] as const),
  'Job' as const,
];

/**
 * What systemd says of a service now. UNIT_NOT_FOUND where it does not know it. One that is down and has a job is about to
 * start, behind units that it waits for: it is `activating`, for nobody has stopped it and nothing of it has failed.
 */
export async function readUnitSample(run: RunCommand, unit: string): Promise<Outcome<UnitSample>> {
  const shown = await show(run, SAMPLED, [unit]);
  return shown.ok ? toSample(unit, shown.value[0]) : shown;
}

/** What a unit is, and what is stopped together with it. */
export type UnitStanding = {
  readonly sample: UnitSample;
  /**
   * The active units that systemd stops when this one, or the one that is restarted for it, stops, those that depend on
   * them included, nearest first: the ones that have to be active again afterwards.
   */
  readonly dependents: readonly string[];
};

/** How a unit stands for which `restartUnit` is restarted: itself, or that of its pod. UNIT_NOT_FOUND as for a sample. */
export async function readStanding(
  run: RunCommand,
  unit: string,
  restartUnit: string,
): Promise<Outcome<UnitStanding>> {
  const units = [...new Set([unit, restartUnit])];
  const shown = await show(run, [...SAMPLED, ...DEPENDED], units);
  if (!shown.ok) return shown;
  const sample = toSample(unit, shown.value[0]);
  if (!sample.ok) return sample;
  const dependents = await follow(run, restartUnit, shown.value.slice(-1));
  return dependents.ok
    ? succeed({ sample: sample.value, dependents: dependents.value })
    : dependents;
}

function toSample(
  unit: string,
  facts: ReadonlyMap<string, string> = new Map(),
): Outcome<UnitSample> {
  const get = (name: (typeof SAMPLED)[number]) => facts.get(name) ?? '';
  if (get('LoadState') === 'not-found') return fail('UNIT_NOT_FOUND', `Unit ${unit}.`);
  const isDown = ['inactive', 'failed'].includes(get('ActiveState'));
  return succeed({
    // `Job` is left out where there is none.
    activeState: isDown && get('Job') !== '' ? 'activating' : get('ActiveState'),
    subState: get('SubState'),
    result: get('Result'),
    mainPid: Number(get('MainPID')),
    restarts: Number(get('NRestarts')),
  });
}

/** The active dependents, from what was `shown` of the unit itself on. */
async function follow(
  run: RunCommand,
  unit: string,
  shown: readonly ReadonlyMap<string, string>[],
): Promise<Outcome<readonly string[]>> {
  const active: string[] = [];
  const seen = new Set([unit]);
  const unseen = (facts: typeof shown) =>
    [...new Set(facts.flatMap(listDependents))].filter((name) => !seen.has(name));
  let layer = unseen(shown);
  while (layer.length > 0 && seen.size < MAX_DEPENDENTS) {
    for (const name of layer) seen.add(name);
    const next = await show(run, DEPENDED, layer);
    if (!next.ok) return next;
    const others = next.value.filter((facts) => facts.get('Id') !== unit);
    active.push(...others.filter(isActive).map((facts) => facts.get('Id') ?? ''));
    layer = unseen(next.value);
  }
  return succeed(active);
}

function listDependents(facts: ReadonlyMap<string, string>): string[] {
  return STOPPED_WITH.flatMap((name) => (facts.get(name) ?? '').split(' ')).filter(Boolean);
}

function isActive(facts: ReadonlyMap<string, string>): boolean {
  return facts.get('ActiveState') === 'active';
}

/** Which of these units are not active. */
export async function findInactive(
  run: RunCommand,
  units: readonly string[],
): Promise<Outcome<readonly string[]>> {
  if (units.length === 0) return succeed([]);
  const shown = await show(run, ['Id', 'ActiveState'], units);
  if (!shown.ok) return shown;
  const active = new Set(shown.value.filter(isActive).map((facts) => facts.get('Id')));
  return succeed(units.filter((unit) => !active.has(unit)));
}

/** Units that a unit needs, as far as they have to do with its container. */
export type Companions = {
  /** Makes and starts the pod of the container. */
  readonly pod: string | null;
  /** Pulls an image whenever it is started, at each boot that is (Quadlet's `.image`). */
  readonly puller: string | null;
};

/** Finds the companions among the units that one binds itself to or requires. */
export async function readCompanions(
  run: RunCommand,
  bindsTo: readonly string[],
  requires: readonly string[],
): Promise<Outcome<Companions>> {
  const names = [...new Set([...bindsTo, ...requires])].filter((name) => /\.service$/.test(name));
  if (names.length === 0) return succeed({ pod: null, puller: null });
  const shown = await show(run, ['Id', 'ExecStartPre', 'ExecStart'], names);
  if (!shown.ok) return shown;
  const find = (wanted: readonly string[], pattern: RegExp) => {
    const found = shown.value.find((facts) => {
      const commands = `${facts.get('ExecStartPre') ?? ''} ${facts.get('ExecStart') ?? ''}`;
      return wanted.includes(facts.get('Id') ?? '') && pattern.test(commands);
    });
    return found?.get('Id') ?? null;
  };
  return succeed({
    pod: find(bindsTo, /\bpodman pod /),
    puller: find(requires, /\bpodman image pull (?!.*--policy[= ]missing)/),
  });
}

/** Properties of several units, in their order: `systemctl show` prints a paragraph of `Name=value` for each. */
async function show(
  run: RunCommand,
  names: readonly string[],
  units: readonly string[],
): Promise<Outcome<readonly ReadonlyMap<string, string>[]>> {
  const properties = names.map((name) => `--property=${name}`);
  const result = await run({
    argv: ['systemctl', '--user', 'show', ...properties, '--', ...units],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    // Commands are printed in a form of systemctl's own.
    ...(!names.some((name) => name.startsWith('Exec')) && {
      manager: { kind: 'show', units, names },
    }),
  });
  if (!isSuccess(result)) return explainManager(result);
  const paragraphs = result.stdout.trim().split('\n\n');
  return succeed(
    paragraphs.map(
      (paragraph) =>
        new Map(
          paragraph.split('\n').map((line): [string, string] => {
            const equals = line.indexOf('=');
            return [line.slice(0, equals), line.slice(equals + 1)];
          }),
        ),
    ),
  );
}
