import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** A manifest as it lies in a registry. */
export type Manifest = { readonly type: string; readonly body: string; readonly digest: string };

/** A manifest of one platform; another `content` is another image. */
export function makeManifest(content: string): Manifest {
  return seal(MANIFEST_TYPE, { schemaVersion: 2, mediaType: MANIFEST_TYPE, content });
}

/** An index of manifests by their platforms, `linux/amd64` and the like. */
export function makeIndex(byPlatform: Readonly<Record<string, Manifest>>): Manifest {
  const manifests = Object.entries(byPlatform).map(([platform, { digest, type, body }]) => {
    const [os = '', architecture = ''] = platform.split('/');
    const size = Buffer.byteLength(body);
    return { mediaType: type, digest, size, platform: { os, architecture } };
  });
  return seal(INDEX_TYPE, { schemaVersion: 2, mediaType: INDEX_TYPE, manifests });
}

function seal(type: string, content: object): Manifest {
  const body = JSON.stringify(content);
  return { type, body, digest: `sha256:${createHash('sha256').update(body).digest('hex')}` };
}

/** A registry on loopback whose tags, limits and faults the test sets. */
export type LoopbackRegistry = {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** By `repository:tag` or `repository@digest`. */
  readonly manifests: Map<string, Manifest>;
  /** By their digests, of whatever repository. */
  readonly blobs: Map<string, string>;
  /** `METHOD PATH` of each request, in its order, those of the token endpoint included. */
  readonly asked: string[];
  /** Answers in place of the registry where it returns true. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Headers of each answer for a manifest. */
  headers: Readonly<Record<string, string>>;
  close(): void;
};

/** How it answers. */
export type RegistryOptions = {
  /** Wants a token of its own endpoint, one for each repository; those below `private/` only with the login. */
  readonly login?: { readonly username: string; readonly password: string };
  /** Each answer comes so much later, in milliseconds. */
  readonly latencyMs?: number;
  /** Of tokens, in seconds. */
  readonly tokenLifeS?: number;
};

/** Starts one. */
export async function startLoopbackRegistry(
  options: RegistryOptions = {},
): Promise<LoopbackRegistry> {
  const manifests = new Map<string, Manifest>();
  const blobs = new Map<string, string>();
  const asked: string[] = [];
  const granted = new Map<string, string>();
  const registry: Pick<LoopbackRegistry, 'intercept' | 'headers'> = {
    intercept: undefined,
    headers: {},
  };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    if (registry.intercept?.(request, response)) return;
    if (url.pathname === '/token') return grant(request, response, url, options, granted);
    const repository = /^\/v2\/(.+)\/(?:manifests|tags|blobs)\//.exec(url.pathname)?.[1] ?? '';
    const isGranted = granted.get(request.headers.authorization ?? '') === repository;
    if (options.login && !isGranted) {
      const realm = `http://${request.headers.host}/token`;
      response.setHeader('www-authenticate', `Bearer realm="${realm}",service="loopback"`);
      return end(response, 401);
    }
    if (url.pathname === '/v2/') return end(response, 200, '{}');
    if (url.pathname.endsWith('/tags/list')) return sendTags(response, url, repository, manifests);
    response.setHeaders(new Headers(registry.headers));
    sendHeld(request, response, repository, { manifests, blobs });
  };
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    if (!options.latencyMs) return answer(request, response);
    setTimeout(() => answer(request, response), options.latencyMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(registry, {
    host: `127.0.0.1:${port}`,
    manifests,
    blobs,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
}

function end(response: ServerResponse, status: number, body = ''): void {
  response.statusCode = status;
  response.end(body);
}

function sendHeld(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  repository: string,
  { manifests, blobs }: Pick<LoopbackRegistry, 'manifests' | 'blobs'>,
): void {
  const reference = url.slice(url.lastIndexOf('/') + 1);
  const blob = blobs.get(reference);
  if (blob !== undefined) {
    end(response, 200, blob);
    return;
  }
  const separator = reference.startsWith('sha256:') ? '@' : ':';
  const manifest = manifests.get(`${repository}${separator}${reference}`);
  if (!manifest) {
    end(response, 404);
    return;
  }
  response.setHeader('content-type', manifest.type);
  response.setHeader('docker-content-digest', manifest.digest);
  end(response, 200, method === 'HEAD' ? '' : manifest.body);
}

function grant(
  { headers }: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { login, tokenLifeS }: RegistryOptions,
  granted: Map<string, string>,
): void {
  const [, repository = ''] =
    /^repository:(.+):pull$/.exec(url.searchParams.get('scope') ?? '') ?? [];
  const basic = Buffer.from(`${login?.username}:${login?.password}`).toString('base64');
  const isKnown = headers.authorization === `Basic ${basic}`;
  if (headers.authorization ? !isKnown : repository.startsWith('private/')) {
    end(response, 401);
    return;
  }
  const token = `token-${granted.size}`;
  granted.set(`Bearer ${token}`, repository);
  const expires = tokenLifeS === undefined ? {} : { expires_in: tokenLifeS };
  end(response, 200, JSON.stringify({ token, ...expires }));
}

/** A page as it is asked for: `n` tags behind `last`. */
function sendTags(
  response: ServerResponse,
  url: URL,
  repository: string,
  manifests: ReadonlyMap<string, Manifest>,
): void {
  const prefix = `${repository}:`;
  const all = [...manifests.keys()].filter((name) => name.startsWith(prefix));
  const names = all.map((name) => name.slice(prefix.length)).sort();
  const last = url.searchParams.get('last') ?? '';
  const count = Number(url.searchParams.get('n') ?? 100);
  const rest = names.filter((name) => name > last);
  const page = rest.slice(0, count);
  if (rest.length > count) {
    const next = new URLSearchParams({ last: page.at(-1) ?? '', n: String(count) });
    response.setHeader('link', `<${url.pathname}?${next}>; rel="next"`);
  }
  response.setHeader('content-type', 'application/json');
  end(response, 200, JSON.stringify({ name: repository, tags: page }));
}
