import type { Outcome } from '../../shared/contract/outcome.ts';
import { runCommand } from '../../shared/process/run-command.ts';
import type { ManifestInIndex } from '../domain/image-index.ts';
import type { ImageReference } from '../domain/image-reference.ts';
import { type AccessMemory, endpointOf, type RegistryAccess } from './ask-registry.ts';
import { keepReadings } from './keep-readings.ts';
import { listTags, type TagList } from './list-tags.ts';
import { askForDigest, type DigestLookup, type LookUpOptions } from './look-up-digest.ts';
import { readAuthFile } from './read-auth-file.ts';
import { readIndex } from './read-index.ts';
import { openRegistryConnections } from './registry-connections.ts';
import { locateImage } from './registry-rules.ts';
import type { RegistryAsker, RegistryResponse } from './registry-session.ts';
import { createTokenMemory } from './token-memory.ts';

/** How many questions are asked, and who hears of their answers. */
export type ClientOptions = Omit<LookUpOptions, 'signal' | 'connections'> & {
  /** Gives everything up. */
  readonly signal: AbortSignal;
  /** Hears the head of each answer of a registry or its token endpoint; `host` is that of the registry. */
  readonly onAnswer: (host: string, answer: Pick<RegistryResponse, 'status' | 'header'>) => void;
};

/** Asks many questions of many registries; connections, logins and tokens are kept for the next one. */
export type RegistryClient = {
  /** What a tag means now: one HEAD, where the registry answers as it should. */
  lookUp(image: ImageReference): Promise<Outcome<DigestLookup>>;
  /** The manifests in the index of that digest, which is verified. */
  readIndex(image: ImageReference, digest: string): Promise<Outcome<readonly ManifestInIndex[]>>;
  /** The tags of the repository, as far as the limits let them be read. */
  listTags(image: ImageReference): Promise<Outcome<TagList>>;
  /** The host that is asked for an image: what rates are limited by; undefined where it may not be asked. */
  hostOf(image: ImageReference): string | undefined;
  close(): Promise<void>;
};

type Registry = { readonly session: RegistryAsker; readonly memory: AccessMemory };

/**
 * Opens a client. Each question fails with the codes REGISTRY_*, no later than `timeoutMs` after it was asked; a host that
 * says that it cannot answer now is asked again three times altogether. Secrets are in memory until it is closed.
 */
export function openRegistryClient(options: ClientOptions): RegistryClient {
  const { registries, authFiles, timeoutMs, onSecret } = options;
  const readers = keepReadings(options.readers ?? { readText: readAuthFile, run: runCommand });
  const opened = new Map<string, Registry>();
  const connections = openRegistryConnections({
    ...{ signal: options.signal, userAgent: options.userAgent, connectTimeoutMs: timeoutMs },
    ...(options.retryPauseMs !== undefined && { retryPauseMs: options.retryPauseMs }),
    ...(options.forward && { forward: options.forward }),
  });

  function open(host: string, insecure: boolean): Registry {
    const name = `${host} ${insecure}`;
    const known = opened.get(name);
    if (known) return known;
    const { session } = connections.to(host, insecure);
    const heard: RegistryAsker = {
      send: async (request) => {
        const answer = await session.send(request);
        if (answer.ok) options.onAnswer(host, answer.value);
        return answer;
      },
    };
    const memory = { tokens: createTokenMemory(() => performance.now()) };
    const registry = { session: heard, memory };
    opened.set(name, registry);
    return registry;
  }

  async function answer<T>(
    image: ImageReference,
    question: (access: RegistryAccess) => Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    const located = locateImage(registries, image);
    if (!located.ok) return located;
    const location = located.value;
    const { session, memory } = open(endpointOf(location.image), location.insecure);
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]);
    return question({ session, signal, location, authFiles, readers, onSecret, memory });
  }

  return {
    lookUp: (image) => answer(image, askForDigest),
    readIndex: (image, digest) => answer(image, (access) => readIndex(access, digest)),
    listTags: (image) => answer(image, listTags),
    hostOf: (image) => {
      const located = locateImage(registries, image);
      return located.ok ? endpointOf(located.value.image) : undefined;
    },
    close: async () => {
      await connections.close();
      opened.clear();
    },
  };
}
