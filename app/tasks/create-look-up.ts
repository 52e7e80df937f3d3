import { reachRegistries } from '../checks/reach-registries.ts';
import type { DeployParts } from '../deploy/deploy-unit.ts';
import { anyOf } from '../deploy/until-stopped.ts';
import type { Host } from '../host/host.ts';
import { lookUpDigest } from '../registry/look-up-digest.ts';

/**
 * Makes the function that asks registries for digests as podman on `host` would. `timeoutMs` bounds each look-up; `signal`
 * gives all of them up; `onSecret` hears what must stand in no record.
 */
export function createLookUp(
  host: Host,
  timeoutMs: number,
  signal: AbortSignal,
  onSecret?: (secret: string) => void,
): DeployParts['lookUp'] {
  return async (image, registries, cut) => {
    const reach = await reachRegistries(host, registries);
    if (!reach.ok) return reach;
    return lookUpDigest(image, {
      ...reach.value,
      ...(onSecret && { onSecret }),
      timeoutMs,
      signal: anyOf(signal, cut),
    });
  };
}
