import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as openRequest,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is asked for; the first is what the program asks itself, the others are what podman pulls. */
export type Target = 'look-up' | 'manifest' | 'config' | 'layer';

/** A request for something of one repository, and the answer to give. */
export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly target: Target;
  readonly response: ServerResponse;
  /** Lets the real registry answer, for `path` instead where there is one; `change` gives what is sent instead. */
  readonly pass: (change?: Change, path?: string) => Promise<void>;
  /** How many requests for this target came before, since the fault was set. */
  readonly before: number;
};

type Headers = Record<string, string | string[] | undefined>;
/** Of an answer of the registry; the body of an answer to HEAD is empty. */
export type Change = (answer: { headers: Headers; body: Buffer }) => {
  headers?: Headers;
  body?: Buffer;
};

/** What a server does with a request for a target. */
export type Fault = (asked: Asked) => void | Promise<void>;

/** What a server was sent. */
export type Seen = { readonly path: string; readonly authorization: string | undefined };

type Rule = {
  readonly at: readonly Target[];
  readonly fault: Fault;
  readonly configs: ReadonlySet<string>;
};

export type FaultProxy = {
  /** `host:port`, as in the name of an image. */
  readonly host: string;
  readonly seen: readonly Seen[];
  /** From now on `fault` answers what is asked of the repository at `at`; undefined: nothing is wrong any more. */
  setFault(repository: string, at: readonly Target[], fault: Fault | undefined): Promise<void>;
  /** How many requests the last fault has met. */
  countStruck(repository: string): number;
  close(): void;
};

type Options = {
  /** The address to listen on. */
  readonly address: string;
  /** `host:port` of the registry behind. */
  readonly registry: string;
  /** The only Authorization that is let through; undefined: none is asked for. */
  readonly authorization?: string;
};

/** A registry that is sound but for what a test breaks, in front of a real one. It keeps what it is sent. */
export async function startFaultProxy(options: Options): Promise<FaultProxy> {
  const { address, registry, authorization } = options;
  const rules = new Map<string, Rule>();
  const counts = new Map<string, number>();
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    seen.push({ path, authorization: request.headers.authorization });
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="faults"' }).end();
      return;
    }
    const pass: Asked['pass'] = (change, instead = path) =>
      forward(request, response, `http://${registry}${instead}`, change);
    const [, repository = ''] = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(path) ?? [];
    const rule = rules.get(repository);
    const target = targetOf(request, rule);
    if (!rule || !target || !rule.at.includes(target)) return void pass();
    const before = counts.get(repository) ?? 0;
    counts.set(repository, before + 1);
    void rule.fault({ method: request.method ?? '', path, target, response, pass, before });
  });
  server.listen(0, address);
  await once(server, 'listening');
  return {
    host: `${address}:${(server.address() as AddressInfo).port}`,
    seen,
    setFault: async (repository, at, fault) => {
      rules.delete(repository);
      if (!fault) return;
      counts.delete(repository);
      rules.set(repository, { at, fault, configs: await readConfigs(registry, repository) });
    },
    countStruck: (repository) => counts.get(repository) ?? 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function targetOf(request: IncomingMessage, rule: Rule | undefined): Target | undefined {
  const [, kind, name = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? [];
  if (kind === undefined) return undefined;
  if (kind === 'blobs') return rule?.configs.has(name) ? 'config' : 'layer';
  return name.startsWith('sha256:') ? 'manifest' : 'look-up';
}

/** What tells a configuration from a layer: only the manifest does. */
async function readConfigs(registry: string, repository: string): Promise<ReadonlySet<string>> {
  const answer = await fetch(`http://${registry}/v2/${repository}/manifests/stable`, {
    headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
  });
  const { config } = (await answer.json()) as { config: { digest: string } };
  return new Set([config.digest]);
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
  change: Change = () => ({}),
): Promise<void> {
  const { authorization: _, host: __, ...headers } = request.headers;
  const behind = openRequest(url, { method: request.method, headers });
  request.pipe(behind);
  const [answer] = (await once(behind, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const changed = change({ headers: answer.headers, body });
  const length = changed.body && { 'content-length': String(changed.body.byteLength) };
  response.writeHead(answer.statusCode ?? 502, {
    ...answer.headers,
    ...length,
    ...changed.headers,
  });
  response.end(changed.body ?? body);
}
