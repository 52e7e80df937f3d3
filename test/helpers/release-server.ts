import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** What a server does that a good one does not, with files unless it says otherwise. */
export type Misbehaviour =
  /** Breaks the connection after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Sends so many bytes at once, and then one at a time, so often. */
  | { readonly kind: 'slow'; readonly afterBytes: number; readonly everyMs: number }
  /** Sends so many bytes, and then nothing. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Announces so many bytes more than the file has. */
  | { readonly kind: 'wrong-length'; readonly by: number }
  /** One bit of the middle is another. */
  | { readonly kind: 'wrong-digest' }
  /** The file is another one now, by its tag. */
  | { readonly kind: 'etag-change' }
  /** 206 whatever If-Range says. */
  | { readonly kind: 'ignore-if-range' }
  /** Another part than the one that was asked for. */
  | { readonly kind: 'wrong-part' }
  | { readonly kind: '416' }
  | { readonly kind: 'no-ranges' }
  /** Tags that say no more than that the content means the same. */
  | { readonly kind: 'weak-etag' }
  | { readonly kind: 'redirect-loop' }
  | { readonly kind: 'redirect-to'; readonly url: string }
  | { readonly kind: 'gzip' }
  /** 403 as GitHub answers it, whatever is asked for. */
  | { readonly kind: 'rate-limited' }
  /** 500, whatever is asked for. */
  | { readonly kind: '500' }
  /** A head that never ends, whatever is asked for. */
  | { readonly kind: 'slow-head' }
  /** Bytes without an end, and without a length. */
  | { readonly kind: 'endless' };

/** How often, and with which files; default: always, with the program. */
export type Occasion = { readonly times?: number; readonly asset?: RegExp };

/** What a server was sent. */
export type Received = {
  /** `api`, or `storage`, the host that files are redirected to. */
  readonly host: 'api' | 'storage';
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
};

/** A server that plays GitHub for a folder of releases, and a mirror of the same. */
export type ReleaseServer = AsyncDisposable & {
  /** For PODUP_RELEASE_API_URL. */
  readonly apiUrl: string;
  /** For PODUP_RELEASE_REPOSITORY. */
  readonly repository: string;
  /** For PODUP_RELEASE_BASE_URL: the folder as a mirror serves it. */
  readonly mirrorUrl: string;
  /** For PODUP_RELEASE_BASE_URL: GitHub's own pages. */
  readonly pagesUrl: string;
  readonly received: Received[];
  /** What was sent that should not have been. Empty at the end of every test. */
  readonly faults: string[];
  misbehave(how: Misbehaviour, occasion?: Occasion): void;
  behave(): void;
};

/** What is served, and to whom. */
export type ServerOptions = {
  /** As `publish` lays it out. */
  readonly folder: string;
  /** Asked for by the API where it is given. */
  readonly token?: string;
};

const REPOSITORY = 'owner/pod-upgrade-trigger';
/** What befalls every request where no asset is named. */
const FOR_ALL: readonly string[] = ['rate-limited', '500', 'slow-head'];
const PROGRAM = /gnu$/;
const MAX_ENDLESS_BYTES = 64 * 1024 * 1024;

type Listed = { tag: string; prerelease: boolean; draft?: boolean };

/** Starts the server on two origins of this host. */
export async function startReleaseServer(options: ServerOptions): Promise<ReleaseServer> {
  const { folder, token } = options;
  const received: Received[] = [];
  const faults: string[] = [];
  let plan: { how: Misbehaviour; times: number; asset: RegExp | undefined } | undefined;

  /** The misbehaviour that is due for a request, each time that it is asked for. */
  const due = (asset: string | undefined): Misbehaviour | undefined => {
    if (!plan || plan.times === 0) return undefined;
    const isForAll = plan.asset === undefined && FOR_ALL.includes(plan.how.kind);
    const isMeant = asset !== undefined && (plan.asset ?? PROGRAM).test(asset);
    if (!isForAll && !isMeant) return undefined;
    plan.times--;
    return plan.how;
  };

  const releases = (): Listed[] =>
    existsSync(join(folder, 'releases.json'))
      ? JSON.parse(readFileSync(join(folder, 'releases.json'), 'utf8'))
      : [];
  const assetsOf = (tag: string) =>
    existsSync(join(folder, tag)) ? readdirSync(join(folder, tag)).sort() : [];

  const toApiRelease = ({ tag, prerelease, draft = false }: Listed) => ({
    tag_name: tag,
    name: tag,
    prerelease,
    draft,
    assets: assetsOf(tag).map((name) => ({
      name,
      size: statSync(join(folder, tag, name)).size,
      url: `${apiUrl}/repos/${REPOSITORY}/releases/assets/${encodeURIComponent(`${tag}/${name}`)}`,
      browser_download_url: `${apiUrl}/pages/${REPOSITORY}/releases/download/${tag}/${name}`,
    })),
  });

  const checkApi = ({ headers, url }: IncomingMessage, accept: string): boolean => {
    const wanted = token === undefined ? undefined : `Bearer ${token}`;
    if (headers.authorization !== wanted) faults.push(`authorization at ${url}`);
    if (headers.accept !== accept) faults.push(`accept ${headers.accept} at ${url}`);
    return headers.authorization === wanted;
  };

  const answerApi = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', apiUrl);
    const base = `/repos/${REPOSITORY}/releases`;
    if (url.pathname.startsWith(`${base}/assets/`)) {
      const place = decodeURIComponent(url.pathname.slice(base.length + '/assets/'.length));
      if (!checkApi(request, 'application/octet-stream')) return end(response, 404);
      return end(response, 302, { location: `${storageUrl}/${place}` });
    }
    if (!checkApi(request, 'application/vnd.github+json')) return end(response, 404);
    if (url.pathname === base) {
      const size = Number(url.searchParams.get('per_page') ?? 30);
      const page = Number(url.searchParams.get('page') ?? 1);
      const some = releases().slice((page - 1) * size, page * size);
      return sendJson(response, some.map(toApiRelease));
    }
    const tag =
      url.pathname.startsWith(`${base}/tags/`) && url.pathname.slice(`${base}/tags/`.length);
    const found = releases().find((release) => release.tag === tag && !release.draft);
    return found ? sendJson(response, toApiRelease(found)) : end(response, 404);
  };

  const answerFile = (request: IncomingMessage, response: ServerResponse, path: string) => {
    if (request.headers.authorization) faults.push(`authorization at ${request.url}`);
    const file = join(folder, decodeURIComponent(path.split('?')[0] ?? ''));
    if (!existsSync(file) || statSync(file).isDirectory()) return end(response, 404);
    sendFile(request, response, readFileSync(file), due(file.split('/').at(-1)));
  };

  const onApi = (request: IncomingMessage, response: ServerResponse) => {
    received.push({ host: 'api', path: request.url ?? '', headers: request.headers });
    checkAny(request, faults);
    const how = plan?.asset === undefined ? due(undefined) : undefined;
    if (misbehaveForAll(how, response)) return;
    const [, where = '', ...rest] = (request.url ?? '').split('/');
    if (where === 'repos') return answerApi(request, response);
    if (where === 'mirror') return answerFile(request, response, rest.join('/'));
    if (request.headers.authorization) faults.push(`authorization at ${request.url}`);
    const place = rest.join('/').split('/releases/download/')[1];
    if (where !== 'pages' || place === undefined) return end(response, 404);
    return end(response, 302, { location: `${storageUrl}/${place}` });
  };

  const onStorage = (request: IncomingMessage, response: ServerResponse) => {
    received.push({ host: 'storage', path: request.url ?? '', headers: request.headers });
    checkAny(request, faults);
    answerFile(request, response, (request.url ?? '').slice(1));
  };

  const [api, storage] = await Promise.all([listen(onApi), listen(onStorage)]);
  const apiUrl = urlOf(api);
  const storageUrl = urlOf(storage);
  return {
    apiUrl,
    repository: REPOSITORY,
    mirrorUrl: `${apiUrl}/mirror`,
    pagesUrl: `${apiUrl}/pages`,
    received,
    faults,
    misbehave: (how, { times = Number.POSITIVE_INFINITY, asset } = {}) => {
      plan = { how, times, asset };
    },
    behave: () => {
      plan = undefined;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([api, storage].map(close));
    },
  };
}

function checkAny({ headers, url, method }: IncomingMessage, faults: string[]): void {
  if (method !== 'GET') faults.push(`${method} at ${url}`);
  if (!/^pod-upgrade-trigger\/\d/.test(headers['user-agent'] ?? '')) {
    faults.push(`user-agent ${headers['user-agent']} at ${url}`);
  }
  if (headers['accept-encoding'] !== 'identity') faults.push(`accept-encoding at ${url}`);
  if (headers.range !== undefined && headers['if-range'] === undefined) {
    faults.push(`range without if-range at ${url}`);
  }
}

/** Whether the request has been answered badly, as all are. */
function misbehaveForAll(how: Misbehaviour | undefined, response: ServerResponse): boolean {
  switch (how?.kind) {
    case '500':
      end(response, 500);
      return true;
    case 'rate-limited':
      end(response, 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1800000000' });
      return true;
    case 'slow-head': {
      const { socket } = response;
      socket?.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket?.write('x-more: 1\r\n'), 20);
      socket?.on('close', () => clearInterval(timer));
      return true;
    }
    default:
      return false;
  }
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  how: Misbehaviour | undefined,
): void {
  if (answerOddly(request, response, content, how)) return;
  const file = how?.kind === 'wrong-digest' ? flipBit(content) : content;
  const tag = createHash('sha256')
    .update(file)
    .update(how?.kind === 'etag-change' ? 'new' : '');
  const etag = `${how?.kind === 'weak-etag' ? 'W/' : ''}"${tag.digest('hex').slice(0, 16)}"`;
  const offset = findOffset(request, etag, how);
  if (offset > file.length) {
    refuseRange(response, file);
    return;
  }
  const length = file.length - offset + (how?.kind === 'wrong-length' ? how.by : 0);
  const shift = how?.kind === 'wrong-part' ? 1 : 0;
  response.writeHead(offset > 0 ? 206 : 200, {
    etag,
    'content-length': length,
    ...(offset > 0 && {
      'content-range': `bytes ${offset + shift}-${file.length - 1}/${file.length}`,
    }),
  });
  sendBody(response, file.subarray(offset), how);
}

/** Whether the request has been answered with something other than the file. */
function answerOddly(
  request: IncomingMessage,
  response: ServerResponse,
  file: Buffer,
  how: Misbehaviour | undefined,
): boolean {
  switch (how?.kind) {
    case '416':
      if (request.headers.range === undefined) return false;
      refuseRange(response, file);
      return true;
    case 'redirect-loop':
      end(response, 302, { location: request.url ?? '' });
      return true;
    case 'redirect-to':
      end(response, 302, { location: how.url });
      return true;
    case 'gzip':
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(file));
      return true;
    case 'endless':
      sendEndless(response);
      return true;
    default:
      return misbehaveForAll(how, response);
  }
}

function refuseRange(response: ServerResponse, file: Buffer): void {
  end(response, 416, { 'content-range': `bytes */${file.length}` });
}

function flipBit(content: Buffer): Buffer {
  const file = Buffer.from(content);
  file.writeUInt8(file.readUInt8(file.length >> 1) ^ 1, file.length >> 1);
  return file;
}

function findOffset({ headers }: IncomingMessage, etag: string, how: Misbehaviour | undefined) {
  const wanted = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1];
  if (wanted === undefined || how?.kind === 'no-ranges') return 0;
  return headers['if-range'] === etag || how?.kind === 'ignore-if-range' ? Number(wanted) : 0;
}

function sendBody(response: ServerResponse, body: Buffer, how: Misbehaviour | undefined): void {
  switch (how?.kind) {
    case 'cut':
      if (how.afterBytes >= body.length) response.end(body);
      else response.write(body.subarray(0, how.afterBytes), () => response.destroy());
      break;
    case 'stall':
      response.write(body.subarray(0, how.afterBytes));
      break;
    case 'slow':
      drip(response, body, how);
      break;
    case 'wrong-length':
      response.write(body, () => response.destroy());
      break;
    default:
      response.end(body);
  }
}

function drip(
  response: ServerResponse,
  body: Buffer,
  { afterBytes, everyMs }: { readonly afterBytes: number; readonly everyMs: number },
): void {
  response.write(body.subarray(0, afterBytes));
  let sent = afterBytes;
  const timer = setInterval(() => {
    response.write(body.subarray(sent, sent + 1));
    sent++;
  }, everyMs);
  response.on('close', () => clearInterval(timer));
}

function sendEndless(response: ServerResponse): void {
  response.writeHead(200);
  const chunk = Buffer.alloc(65_536);
  let sent = 0;
  const more = () => {
    while (sent < MAX_ENDLESS_BYTES && !response.destroyed) {
      sent += chunk.length;
      if (!response.write(chunk)) return;
    }
    response.end();
  };
  response.on('drain', more).on('error', () => undefined);
  more();
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end();
}

async function listen(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
