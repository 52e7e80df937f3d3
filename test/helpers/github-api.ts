import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** An attempt as GitHub lists it; `id` is written as it stands here. */
export type ListedAttempt = {
  readonly id: string;
  readonly guid: string;
  readonly at: number;
  readonly status: number;
  readonly event?: string;
};

/** An answer other than that of a good API. */
export type OtherAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Never ends. */
  readonly isSlow?: boolean;
};

/** What was asked: method and target. */
export type Asked = { readonly what: string; readonly authorization: string | undefined };

/** GitHub's API of the deliveries of webhooks, on this host. */
export type GithubApi = {
  readonly url: string;
  readonly asked: Asked[];
  /** Newest first, by the path of the hook. */
  readonly hooks: Map<string, ListedAttempt[]>;
  /** What was sent that should not have been; empty at the end of every test. */
  readonly faults: string[];
  /** Of each page so many. */
  pageSize: number;
  /** Answers otherwise where it says so. */
  other: (method: string, path: string) => OtherAnswer | undefined;
  /** Hears that a delivery is sent again. */
  onAgain: (hook: string, attempt: ListedAttempt) => void;
};

/** Starts it until the test ends; it checks everything that it is sent. */
export async function startGithubApi(
  context: Pick<TestContext, 'after'>,
  token: string,
): Promise<GithubApi> {
  const server = createServer((request, response) => answer(api, token, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const api: GithubApi = {
    ...{ url: `http://127.0.0.1:${port}/api/v3`, asked: [], hooks: new Map(), faults: [] },
    ...{ pageSize: 100, other: () => undefined, onAgain: () => undefined },
  };
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return api;
}

function answer(
  api: GithubApi,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { method = '', url: target = '' } = request;
  const url = new URL(target, api.url);
  check(api, token, request);
  const other = api.other(method, url.pathname);
  if (other) {
    response.writeHead(other.status, other.headers ?? {});
    if (other.isSlow) response.write('[');
    else response.end(other.body ?? '{"message":"no"}');
    return;
  }
  const [, hook = '', attempt] =
    /^\/api\/v3(\/.+)\/deliveries(?:\/(\d+)\/attempts)?$/.exec(url.pathname) ?? [];
  const attempts = api.hooks.get(hook);
  const found = attempts?.find(({ id }) => id === attempt);
  if (attempts && method === 'GET' && attempt === undefined) list(api, attempts, url, response);
  else if (method === 'POST' && found) {
    response.writeHead(202, { 'content-type': 'application/json' }).end('{}');
    api.onAgain(hook, found);
  } else {
    // A hook that is not there is a case of its own; what is no question of these is a fault.
    if (attempts) api.faults.push(`${method} ${target}`);
    response.writeHead(404).end('{}');
  }
}

/** What each question has to be. */
function check(api: GithubApi, token: string, { method, headers, url }: IncomingMessage): void {
  api.asked.push({ what: `${method} ${url}`, authorization: headers.authorization });
  const expected = {
    authorization: `Bearer ${token}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
  };
  for (const [name, value] of Object.entries(expected)) {
    if (headers[name] !== value) api.faults.push(`${name}: ${headers[name]} at ${url}`);
  }
  if (!/^pod-upgrade-trigger\//.test(headers['user-agent'] ?? '')) api.faults.push('user-agent');
  if (Number(headers['content-length'] ?? 0) > 0) api.faults.push('a body');
}

function list(
  { pageSize, url: base, faults }: GithubApi,
  attempts: readonly ListedAttempt[],
  url: URL,
  response: ServerResponse,
): void {
  if (url.searchParams.get('per_page') !== '100') faults.push(`per_page in ${url.search}`);
  const cursor = url.searchParams.get('cursor') ?? 'v1_0';
  const begin = Number(cursor.slice(3));
  const page = attempts.slice(begin, begin + pageSize);
  const next = `${new URL(url.pathname, base).href}?per_page=100&cursor=v1_${begin + pageSize}`;
  const isLast = begin + pageSize >= attempts.length;
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'x-ratelimit-remaining': '4999',
    ...(!isLast && { link: `<${next}>; rel="next"` }),
  });
  response.end(`[${page.map(write).join(',')}]`);
}

/** As text, for ids are larger than what a number holds. */
function write({ id, guid, at, status, event = 'registry_package' }: ListedAttempt): string {
  const rest = {
    ...{ guid, delivered_at: new Date(at).toISOString(), redelivery: false, duration: 0.2 },
    ...{
      status: status === 202 ? 'OK' : 'Failed',
      status_code: status,
      event,
      action: 'published',
    },
    ...{ installation_id: null, repository_id: 1, throttled_at: null },
  };
  return `{"id":${id},${JSON.stringify(rest).slice(1)}`;
}
