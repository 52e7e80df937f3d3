import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import type { PodmanFacts } from '../domain/preflight.ts';
import { queryJson } from './podman.ts';

/** What podman says of itself: the registries that it is configured with, as it resolves all its files, and its storage. */
export type PodmanInfo = PodmanFacts & { readonly registries: unknown };

/** Asks podman for what it is and has. Fails with PODMAN_UNAVAILABLE and PODMAN_FAILED. */
export async function readPodmanInfo(run: RunCommand): Promise<Outcome<PodmanInfo>> {
  const asked = await queryJson(run, ['info', '--format', '{{json .}}']);
  if (!asked.ok) return asked;
  const info = asked.value as RawInfo | null;
  const { graphRoot = '', graphRootAllocated, graphRootUsed } = info?.store ?? {};
  const driver = findDriver(info?.store);
  const knowsSpace = typeof graphRootAllocated === 'number' && typeof graphRootUsed === 'number';
  return succeed({
    registries: info?.registries ?? null,
    version: info?.version?.Version ?? '',
    graphRoot,
    driver,
    freeBytes: knowsSpace ? graphRootAllocated - graphRootUsed : undefined,
  });
}

/** Images may be kept apart, or read from further places (containers-storage.conf(5), `imagestore`, `additionalimagestores`). */
function findDriver({ graphDriverName = '', graphOptions }: NonNullable<RawInfo['store']> = {}) {
  const isSplit = Object.keys(graphOptions ?? {}).some((name) => name.endsWith('imagestore'));
  return isSplit ? '' : graphDriverName;
}

type RawInfo = {
  readonly registries?: unknown;
  readonly store?: {
    readonly graphDriverName?: string;
    readonly graphOptions?: Readonly<Record<string, unknown>> | null;
    readonly graphRoot?: string;
    readonly graphRootAllocated?: number;
    readonly graphRootUsed?: number;
  };
  readonly version?: { readonly Version?: string };
};
