import { PROGRAM } from '../../shared/config/program-version.ts';
import type { DeployParts } from '../deploy/deploy-unit.ts';
import { anyOf } from '../deploy/until-stopped.ts';
import type { Host } from '../host/host.ts';
import { lookUpDigest } from '../registry/look-up-digest.ts';
import { authFileCandidates, type CredentialReaders } from '../registry/read-credentials.ts';
import { parseRegistryRules } from '../registry/registry-rules.ts';

const MAX_AUTH_FILE_BYTES = 1_048_576;

function createReaders({ readText, run }: Host): CredentialReaders {
  return {
    readText: async (path) => {
      const text = await readText(path, MAX_AUTH_FILE_BYTES);
      if (text === '') throw Object.assign(new Error('nothing there'), { code: 'ENOENT' });
      return text;
    },
    run,
  };
}

/**
 * Makes the function that asks registries for digests as podman on `host` would: with the logins that lie there, and over
 * the network as it is seen from there. `timeoutMs` bounds each look-up; `signal` gives all of them up; `onSecret` hears what
 * must stand in no record.
 */
export function createLookUp(
  host: Host,
  timeoutMs: number,
  signal: AbortSignal,
  onSecret?: (secret: string) => void,
): DeployParts['lookUp'] {
  const { forward } = host;
  const there = forward && { forward, readers: createReaders(host) };
  return async (image, registries, cut) => {
    const environment = await host.readEnvironment();
    if (!environment.ok) return environment;
    return lookUpDigest(image, {
      registries: parseRegistryRules(registries),
      authFiles: authFileCandidates(environment.value),
      ...there,
      ...(onSecret && { onSecret }),
      timeoutMs,
      signal: anyOf(signal, cut),
      userAgent: `pod-upgrade-trigger/${PROGRAM.version}`,
    });
  };
}
