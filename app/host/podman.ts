import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  type CommandResult,
  formatEnd,
  isSuccess,
  type RunCommand,
  type ServiceRequest,
} from '../../shared/process/run-command.ts';
import type { ContainerHealth } from '../domain/gate.ts';
import { explainUnreachable } from './explain-unreachable.ts';

/** A container of a unit, as a glance shows it. */
export type SeenContainer = {
  readonly id: string;
  readonly running: boolean;
  readonly imageName: string;
  readonly imageId: string;
  readonly health: ContainerHealth;
};

/** A container of a unit and the image it runs. */
export type UnitContainer = SeenContainer & {
  readonly name: string;
  /** The digest that the image had when the container was made. */
  readonly imageDigest: string;
};

const QUERY_TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Runs one podman command, arguments as a list. */
export type PodmanCall = {
  readonly args: readonly string[];
  /** The same of its API; see `podmanPath`. */
  readonly request?: ServiceRequest;
  readonly timeoutMs?: number;
  /** See `Command`. */
  readonly isPrivate?: boolean;
};

/** What all that can be asked of an API of podman 4 and later begins with. */
const API = '/v4.0.0/libpod';

/** A path of podman's API; each of `words` is one segment, whatever it holds. */
export function podmanPath(
  words: readonly string[],
  query: Readonly<Record<string, string>> = {},
): string {
  const path = [API, ...words.map(encodeURIComponent)].join('/');
  const asked = new URLSearchParams(query).toString();
  return asked === '' ? path : `${path}?${asked}`;
}

/** Runs podman; PODMAN_UNAVAILABLE where it cannot even be started, else what it came to. */
export async function runPodman(
  run: RunCommand,
  call: PodmanCall,
): Promise<Outcome<CommandResult>> {
  const result = await run({
    argv: ['podman', ...call.args],
    ...(call.request && { request: call.request }),
    timeoutMs: call.timeoutMs ?? QUERY_TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    isPrivate: call.isPrivate === true,
  });
  const unreachable = explainUnreachable(result);
  if (unreachable) return unreachable;
  if (result.end.kind === 'not-started') return fail('PODMAN_UNAVAILABLE', formatEnd(result));
  return succeed(result);
}

/** The containers that carry the label of the unit, running or not, by one question: a third of what the next one costs. */
export async function seeUnitContainers(
  run: RunCommand,
  unit: string,
): Promise<Outcome<readonly SeenContainer[]>> {
  const filter = `label=PODMAN_SYSTEMD_UNIT=${unit}`;
  // The list carries their labels, which may say anything.
  const args = ['ps', '--all', '--no-trunc', '--format', 'json', '--filter', filter];
  const filters = JSON.stringify({ label: [`PODMAN_SYSTEMD_UNIT=${unit}`] });
  const path = podmanPath(['containers', 'json'], { all: 'true', filters });
  const request = { method: 'GET', path } as const;
  const called = await askPodman(run, { args, request, isPrivate: true });
  if (!called.ok) return called;
  const listed = parsePodmanJson(called.value.stdout);
  return listed.ok ? succeed((listed.value as ListedContainer[]).map(readListed)) : listed;
}

/** The same with the digests of their images and their names. */
export async function listUnitContainers(
  run: RunCommand,
  unit: string,
): Promise<Outcome<readonly UnitContainer[]>> {
  const filter = `label=PODMAN_SYSTEMD_UNIT=${unit}`;
  const listed = await queryPodman(run, [
    'ps',
    '--all',
    '--quiet',
    '--no-trunc',
    '--filter',
    filter,
  ]);
  if (!listed.ok) return listed;
  const ids = listed.value.split(/\s+/).filter((id) => id !== '');
  if (ids.length === 0) return succeed([]);
  // The whole description carries the environment of the container, and with it its secrets.
  const called = await runPodman(run, { args: ['container', 'inspect', ...ids], isPrivate: true });
  if (!called.ok) return called;
  // One that has ended since the first question is no container of the unit any more; the others are printed all the same.
  const isGone = /no such container/.test(called.value.stderr);
  if (!isGone && !isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  const inspected = parsePodmanJson(called.value.stdout);
  if (!inspected.ok) return inspected;
  return succeed((inspected.value as InspectedContainer[]).map(readContainer));
}

type ListedContainer = {
  readonly Id: string;
  readonly State: string;
  /** `Up 3 seconds (healthy)`: podman 4 and 5 say the health nowhere else in a list; their API says that alone. */
  readonly Status: string;
  readonly Image: string;
  readonly ImageID: string;
};

type InspectedContainer = {
  readonly Id: string;
  readonly Name: string;
  /** Without a health check podman 4 leaves `Health` out or empty, and 5 says `none`. */
  readonly State: {
    readonly Status: string;
    readonly Health?: { readonly Status?: string } | null;
  };
  readonly Image: string;
  readonly ImageName: string;
  readonly ImageDigest?: string;
};

function readListed(raw: ListedContainer): SeenContainer {
  return {
    id: raw.Id,
    running: raw.State === 'running',
    imageName: raw.Image,
    imageId: raw.ImageID,
    health: readHealth(/\((\w+)\)$/.exec(raw.Status)?.[1] ?? raw.Status),
  };
}

function readContainer(raw: InspectedContainer): UnitContainer {
  return {
    id: raw.Id,
    name: raw.Name,
    running: raw.State.Status === 'running',
    imageName: raw.ImageName,
    imageId: raw.Image,
    imageDigest: raw.ImageDigest ?? '',
    health: readHealth(raw.State.Health?.Status),
  };
}

function readHealth(status: string | undefined): ContainerHealth {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none';
}

/** The same; PODMAN_FAILED where it does not end well. */
export async function askPodman(
  run: RunCommand,
  call: PodmanCall,
): Promise<Outcome<CommandResult>> {
  const called = await runPodman(run, call);
  if (!called.ok || isSuccess(called.value)) return called;
  return fail('PODMAN_FAILED', formatEnd(called.value));
}

/** What podman prints. */
export async function queryPodman(
  run: RunCommand,
  args: readonly string[],
): Promise<Outcome<string>> {
  const asked = await askPodman(run, { args });
  return asked.ok ? succeed(asked.value.stdout) : asked;
}

/** Asks podman for JSON; PODMAN_FAILED where it prints something else. */
export async function queryJson(
  run: RunCommand,
  args: readonly string[],
): Promise<Outcome<unknown>> {
  const queried = await queryPodman(run, args);
  return queried.ok ? parsePodmanJson(queried.value) : queried;
}

/** PODMAN_FAILED where it is none. */
export function parsePodmanJson(text: string): Outcome<unknown> {
  try {
    return succeed(JSON.parse(text));
  } catch {
    return fail('PODMAN_FAILED', 'podman printed something that is not JSON.');
  }
}
