import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import type { AuthEnvironment } from '../domain/auth-environment.ts';
import { findQuadletUnits, findServiceUnits, QUADLET_ENDINGS } from '../domain/find-units.ts';
import type { FoundUnit, UnitSource } from '../domain/found-unit.ts';
import { isReadFor, quadletFolders } from '../domain/unit-folders.ts';
import type { UnitPolicy } from '../domain/unit-policy.ts';
import { parseInstance } from '../domain/unit-template.ts';
import type { Host } from '../host/host.ts';
import { listUnitLabels, readUnitFolders, type UnitLabel } from '../host/list-container-units.ts';

/** Folders below a folder of Quadlet files. */
const QUADLET_DEPTH = 8;
const MAX_UNITS = 5_000;

/** What a sweep works with. */
export type SweepParts = {
  readonly host: Pick<Host, 'run' | 'isSystem' | 'readEnvironment' | 'readFolders'>;
  /** What units fall back to; only whether a policy can be read counts here. */
  readonly defaults: UnitPolicy;
  /** PODUP_CONTAINER_DIR. */
  readonly containerDir?: string | undefined;
  /** Ends what runs. */
  readonly signal: AbortSignal;
};

/** What was found in each place, or why nothing was. */
export type Sweep = Readonly<Record<UnitSource, Outcome<readonly FoundUnit[]>>>;

/** The folders that were looked into, for whoever watches them. */
export type SweptFolders = {
  readonly quadlet: readonly string[];
  readonly units: readonly string[];
};

/** Looks once into every place where units may be found. Changes nothing, neither here nor there. */
export async function sweepUnits(
  parts: SweepParts,
): Promise<{ readonly sweep: Sweep; readonly folders: SweptFolders }> {
  const { host, signal } = parts;
  const run: RunCommand = (command) => host.run({ ...command, signal });
  const [environment, unitFolders, labels] = await Promise.all([
    host.readEnvironment(),
    readUnitFolders(run),
    listUnitLabels(run),
  ]);
  const scope = environment.ok ? { isSystem: host.isSystem, environment: environment.value } : null;
  const folders = {
    quadlet: scope ? quadletFolders(scope, parts.containerDir) : [],
    units: unitFolders.ok ? unitFolders.value : [],
  };
  const [quadlet, services] = await Promise.all([
    scope ? findInQuadlets(parts, scope, folders.quadlet) : Promise.resolve(asFailure(environment)),
    unitFolders.ok ? findInServices(parts, folders.units) : Promise.resolve(unitFolders),
  ]);
  const podman = labels.ok ? believe(labels.value, services) : labels;
  return { sweep: { quadlet, 'unit-file': services, podman }, folders };
}

function asFailure(outcome: Outcome<AuthEnvironment>): Outcome<readonly FoundUnit[]> {
  return outcome.ok ? succeed([]) : outcome;
}

async function findInQuadlets(
  { host, defaults }: SweepParts,
  scope: Parameters<typeof isReadFor>[0],
  folders: readonly string[],
): Promise<Outcome<readonly FoundUnit[]>> {
  return attempt(async () => {
    const endings = QUADLET_ENDINGS;
    const files = await host.readFolders({ folders, endings, depth: QUADLET_DEPTH });
    return findQuadletUnits(
      files.filter(({ path }) => isReadFor(scope, path)),
      defaults,
    );
  });
}

async function findInServices(
  { host, defaults }: SweepParts,
  folders: readonly string[],
): Promise<Outcome<readonly FoundUnit[]>> {
  return attempt(async () => {
    const files = await host.readFolders({ folders, endings: ['.service'], depth: 1 });
    return findServiceUnits(files, folders, defaults);
  });
}

/** What the system says cannot be read is a failure like others. */
async function attempt(
  act: () => Promise<readonly FoundUnit[]>,
): Promise<Outcome<readonly FoundUnit[]>> {
  try {
    const found = unique(await act());
    if (found.length <= MAX_UNITS) return succeed(found);
    return fail('DISCOVERY_FAILED', `${found.length} units are more than ${MAX_UNITS}.`);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'EHOSTUNREACH') return fail('SSH_UNREACHABLE', message.slice(0, 500));
    return fail('DISCOVERY_FAILED', `${code} ${message}`.trim().slice(0, 500));
  }
}

/** Two files may make one unit; the first one counts. */
function unique(found: readonly FoundUnit[]): readonly FoundUnit[] {
  return [...Map.groupBy(found, ({ unit }) => unit).values()].flatMap((same) => same.slice(0, 1));
}

/**
 * What containers say of themselves, as far as it can be believed: an image may bring the label of a unit along, and no
 * image may make a unit of the manager one of ours. It counts where that unit, or its template, has a file that starts a
 * container; the manager reads those of transient units and of generators too.
 */
function believe(
  labels: readonly UnitLabel[],
  services: Outcome<readonly FoundUnit[]>,
): Outcome<readonly FoundUnit[]> {
  if (!services.ok) return services;
  const known = new Set(services.value.map(({ unit }) => unit));
  const believed = labels.filter(
    ({ unit }) => known.has(unit) || known.has(parseInstance(unit)?.template ?? unit),
  );
  const found = believed.map((label) => ({
    ...label,
    ...{ path: null, fault: null, hasPolicy: false, webhookEnabled: null },
  }));
  return succeed(unique(found));
}
