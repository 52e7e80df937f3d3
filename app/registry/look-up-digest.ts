import { createHash } from 'node:crypto';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { runCommand } from '../../shared/process/run-command.ts';
import {
  type ImageReference,
  type ImageRepository,
  isDigest,
  tagOf,
  withTag,
} from '../domain/image-reference.ts';
import type { ChallengeContext } from './answer-challenge.ts';
import {
  type Answer,
  ask,
  endpointOf,
  type Question,
  type RegistryAccess,
  reach,
  type Target,
} from './ask-registry.ts';
import { explainStatus } from './explain-failure.ts';
import { readAuthFile } from './read-auth-file.ts';
import type { CredentialReaders } from './read-credentials.ts';
import { openRegistryConnections, type RegistryConnections } from './registry-connections.ts';
import { locateImage, type RegistryRules } from './registry-rules.ts';
import type { RegistryResponse, SessionOptions } from './registry-session.ts';

/** What a registry says that a tag means now. */
export type DigestLookup = {
  /** `sha256:` and 64 hex digits: of the index where there is one, which is what podman pulls by. */
  readonly digest: string;
  /** One of the four manifest types that podman understands. */
  readonly mediaType: string;
  /** Scheme and host of the registry that was asked. */
  readonly endpoint: string;
  /** The file whose credentials were used; absent where none were. */
  readonly authFile?: string;
  readonly authenticated: boolean;
  readonly method: 'HEAD' | 'GET';
};

/** How to look up: the rules of this host, where credentials may be, and the limit of the whole look-up. */
export type LookUpOptions = {
  readonly registries: RegistryRules;
  readonly authFiles: readonly string[];
  /** How those are read, where they lie on another host. Default: here. */
  readonly readers?: CredentialReaders;
  /** The path of a socket that leads to a place as another host sees it. Default: this host's own network. */
  readonly forward?: SessionOptions['forward'];
  readonly timeoutMs: number;
  /** Gives the look-up up; it then rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
  readonly userAgent: string;
  /** Hears each secret of the registry that is read, so that it can be kept out of records. */
  readonly onSecret?: ChallengeContext['onSecret'];
  /** The first pause before a registry that cannot answer now is asked again, in milliseconds; default 500. */
  readonly retryPauseMs?: number;
  /**
   * Shared with other look-ups, and left open; `userAgent`, `forward` and `retryPauseMs` are then theirs. Absent: those of this
   * look-up alone.
   */
  readonly connections?: RegistryConnections;
};

/** Those of them that name one manifest for each platform. */
export const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
/** A registry converts or hides what is not asked for, and then names another digest than podman pulls. */
const MANIFEST_TYPES = [
  ...INDEX_TYPES,
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
/** The limit that registries set themselves (distribution's specification, "Pushing Manifests"). */
export const MAX_MANIFEST_BYTES = 4_194_304;
/** Credentials of this host. */
const HERE: CredentialReaders = { readText: readAuthFile, run: runCommand };

/**
 * Asks the registry of the image which digest its tag has (OCI distribution specification, "Pulling manifests"): HEAD,
 * and GET where that does not tell. Nothing is pulled, so Docker Hub does not count it. Fails with the codes
 * REGISTRY_*; no failure contains a secret. Retries a connection that broke before it was answered, and 500, 502, 503
 * and 504.
 */
export async function lookUpDigest(
  image: ImageReference,
  options: LookUpOptions,
): Promise<Outcome<DigestLookup>> {
  const located = locateImage(options.registries, image);
  if (!located.ok) return located;
  const location = located.value;
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline;
  const connections = options.connections ?? openOwn(options, signal);
  const reached = connections.to(endpointOf(location.image), location.insecure);
  const session = reached.session.forOne(signal);
  try {
    const { authFiles, readers = HERE, onSecret } = options;
    return await askForDigest({ session, reached, signal, location, authFiles, readers, onSecret });
  } finally {
    if (!options.connections) await connections.close();
  }
}

function openOwn({ userAgent, retryPauseMs, forward }: LookUpOptions, signal: AbortSignal) {
  return openRegistryConnections({
    ...{ signal, userAgent },
    ...(retryPauseMs !== undefined && { retryPauseMs }),
    ...(forward && { forward }),
  });
}

/** The same with an access that is there already, and may know the registry from a question before. */
export async function askForDigest(access: RegistryAccess): Promise<Outcome<DigestLookup>> {
  const { image } = access.location;
  const pinned = image.tag === undefined ? image.digest : undefined;
  const path = manifestPath(image, pinned ?? tagOf(image));
  const head = await reach(questionBy('HEAD'), path, access);
  if (!head.ok) return head;
  const isRefused = head.value.response.status === 405;
  const fromHead = isRefused ? undefined : judge(head.value, 'HEAD', access);
  if (fromHead) return fromHead;
  const get = await ask(questionBy('GET'), head.value.target, access);
  if (!get.ok) return get;
  return judge(get.value, 'GET', access) ?? invalid(get.value.response, 'says no digest');
}

/** Where a manifest lies: by its digest, or by a tag. */
export function manifestPath({ repository }: ImageRepository, reference: string): string {
  return `/v2/${repository}/manifests/${reference}`;
}

function questionBy(method: 'HEAD' | 'GET'): Question {
  return { method, accept: MANIFEST_TYPES.join(', '), maxBodyBytes: MAX_MANIFEST_BYTES };
}

/** What the answer comes to; undefined where it is in order but does not tell. */
function judge(
  { response, target }: Answer,
  method: 'HEAD' | 'GET',
  look: RegistryAccess,
): Outcome<DigestLookup> | undefined {
  if (response.status !== 200) return explainManifestStatus(response, target, look);
  const named = response.header('docker-content-digest');
  if (named !== undefined && !isDigest(named)) return invalid(response, 'says a malformed digest');
  const mediaType = response.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isManifest = MANIFEST_TYPES.includes(mediaType);
  if (method === 'HEAD' && (named === undefined || !isManifest)) return undefined;
  if (!isManifest) return invalid(response, 'is no manifest by its content type');
  const digest = method === 'GET' ? hashBody(response) : named;
  if (digest === undefined) return invalid(response, 'has an encoded body');
  if (named !== undefined && named !== digest) {
    return invalid(response, 'says another digest than its body has');
  }
  return succeed({
    digest,
    mediaType,
    endpoint: target.url.origin,
    authenticated: target.authorization?.authenticated ?? false,
    method,
    ...(target.authorization?.authFile !== undefined && {
      authFile: target.authorization.authFile,
    }),
  });
}

/** The digest is that of the bytes as they are; a compressed body is not what was pushed, and has none. */
export function hashBody(response: RegistryResponse): string | undefined {
  if ((response.header('content-encoding') ?? 'identity') !== 'identity') return undefined;
  return `sha256:${createHash('sha256').update(response.body).digest('hex')}`;
}

function explainManifestStatus(
  response: RegistryResponse,
  target: Target,
  look: RegistryAccess,
): Outcome<never> {
  // A redirect to another host takes no credentials along.
  const own = response.url.origin === target.url.origin;
  const who =
    own && target.authorization?.authFile
      ? `with the credentials of ${target.authorization.authFile}`
      : 'without credentials';
  return explainStatus(response, `the manifest of ${withTag(look.location.image)}, asked ${who}`);
}

function invalid(response: RegistryResponse, what: string): Outcome<never> {
  return fail('REGISTRY_RESPONSE_INVALID', `The answer of ${response.url.host} ${what}.`);
}
