import { PROGRAM } from '../../shared/config/program-version.ts';
import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Host } from '../host/host.ts';
import type { LookUpOptions } from '../registry/look-up-digest.ts';
import {
  authFileCandidates,
  type CredentialReaders,
  chosenAuthFile,
} from '../registry/read-credentials.ts';
import { parseRegistryRules } from '../registry/registry-rules.ts';

/** What registries are told of who asks. */
export const USER_AGENT = `pod-upgrade-trigger/${PROGRAM.version}`;
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

/** How registries are asked from a host. */
export type RegistryReach = Pick<
  LookUpOptions,
  'registries' | 'authFiles' | 'readers' | 'forward' | 'userAgent'
>;

/**
 * How podman on `host` would ask registries: with the logins that lie there, and over the network as it is seen from there.
 * `registries` is what podman says of itself.
 */
export async function reachRegistries(
  host: Host,
  registries: unknown,
): Promise<Outcome<RegistryReach>> {
  const environment = await host.readEnvironment();
  if (!environment.ok) return environment;
  // Only then it matters which podman there is.
  const isChosen = chosenAuthFile(environment.value) !== undefined;
  const info = isChosen ? await host.readInfo(host.run) : undefined;
  if (info && !info.ok) return info;
  const isStrict = info !== undefined && readsOnlyChosen(info.value.version);
  const { forward } = host;
  return succeed({
    registries: parseRegistryRules(registries),
    authFiles: authFileCandidates(environment.value, isStrict),
    ...(forward && { forward, readers: createReaders(host) }),
    userAgent: USER_AGENT,
  });
}

/** podman 5 reads no other file beside one that was chosen, podman 4 looks on in those of the user. */
function readsOnlyChosen(version: string): boolean {
  return Number.parseInt(version, 10) >= 5;
}
