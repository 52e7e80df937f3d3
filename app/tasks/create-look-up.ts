import { noteLookUp } from '../checks/ask-tags.ts';
import { reachRegistries, USER_AGENT } from '../checks/reach-registries.ts';
import type { Store } from '../db/store.ts';
import type { DeployParts } from '../deploy/deploy-unit.ts';
import { anyOf } from '../deploy/until-stopped.ts';
import type { Host } from '../host/host.ts';
import { lookUpDigest } from '../registry/look-up-digest.ts';
import {
  openRegistryConnections,
  type RegistryConnections,
} from '../registry/registry-connections.ts';

/** Who hears of look-ups, and by what they are made. */
export type LookUpParts = {
  /** Hears what must stand in no record. */
  readonly onSecret?: (secret: string) => void;
  /** Where it is kept what tags mean: a check for updates says the same as the deployment that has asked. */
  readonly answers?: Store['registryAnswers'];
  /** Of a process that makes several within seconds; absent: each has its own. */
  readonly connections?: RegistryConnections;
};

/** Connections that the look-ups of one process share; to be closed before the host is. */
export function openLookUpConnections(
  { forward }: Pick<Host, 'forward'>,
  timeoutMs: number,
  signal: AbortSignal,
): RegistryConnections {
  return openRegistryConnections({
    ...{ signal, userAgent: USER_AGENT, connectTimeoutMs: timeoutMs },
    ...(forward && { forward }),
  });
}

/**
 * Makes the function that asks registries for digests as podman on `host` would. `timeoutMs` bounds each look-up; `signal`
 * gives all of them up.
 */
export function createLookUp(
  host: Host,
  timeoutMs: number,
  signal: AbortSignal,
  { onSecret, answers, connections }: LookUpParts = {},
): DeployParts['lookUp'] {
  return async (image, registries, cut) => {
    const reach = await reachRegistries(host, registries);
    if (!reach.ok) return reach;
    const found = await lookUpDigest(image, {
      ...reach.value,
      ...(onSecret && { onSecret }),
      ...(connections && { connections }),
      timeoutMs,
      signal: anyOf(signal, cut),
    });
    if (found.ok && answers) noteLookUp(answers, image, found.value);
    return found;
  };
}
