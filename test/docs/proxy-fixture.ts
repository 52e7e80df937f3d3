import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { request } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect } from 'node:tls';
import { serveAll, type World } from '../app/http/every-route/serve-all.ts';
import { type Answer, type Asked, defer, makeFolder } from '../app/http/http-fixture.ts';
import { Listener } from '../app/http/sse-listener.ts';
import { makeCertificate } from '../app/registry/fake-registry.ts';
import { until } from '../helpers/until.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/access.md'), 'utf8');

/** Where the client is: not where the proxy connects from. */
export const CLIENT = '127.0.0.2';
/** What the document calls this host. */
export const HOST = 'deploy.example.com';
/** The addresses in the document. */
const WORKER = '127.0.0.1:25111';
const LOGIN = '127.0.0.1:9091';
/** Longer than any request or stream here takes. */
const PATIENCE_MS = 20_000;
/** Where people sign in. */
export const LOGIN_PAGE = 'https://auth.example.com/';
/** Of a person who has signed in at the login server. */
export const SIGNED_IN = { cookie: 'login=good' };

export type ProxyName = 'caddy' | 'nginx';

/** A proxy as the document has it, with the worker behind it and a login server beside it. */
export type Proxied = {
  readonly world: World;
  /** The headers of each request that came to the worker. */
  readonly passed: IncomingHttpHeaders[];
  /** What the login server was asked. */
  readonly asked: Login[];
  /** As whom it lets people in; empty: without a name. */
  person: string;
  /** Ends the login server. */
  stopLogin(): void;
  /** Sends a request to the proxy from `CLIENT`. */
  ask(asked: Asked): Promise<Answer>;
  /** Listens to a stream through the proxy. */
  listen(path: string): Promise<Listener>;
};

/** What a login server is told of a request. */
export type Login = { readonly method: string; readonly url: string };

/** Starts the three with the text of the document, which is changed in addresses, ports and the paths of the certificate alone. */
export async function startProxied(
  context: TestContext,
  name: ProxyName,
  settings: Readonly<Record<string, string>> = {},
): Promise<Proxied> {
  const world = await serveAll(makeFolder(context), { ...readSettings(), ...settings });
  defer(context, world.stop);
  const passed: IncomingHttpHeaders[] = [];
  world.app.server.prependListener('request', ({ headers }) => void passed.push({ ...headers }));
  const asked: Login[] = [];
  const proxied = { world, passed, asked, person: 'ada' };
  const login = createServer((asking, response) => {
    answerLogin(name, asking, response, proxied);
  });
  login.listen(0, '127.0.0.1');
  await once(login, 'listening');
  const stopLogin = () => {
    login.closeAllConnections();
    login.close();
  };
  defer(context, stopLogin);
  const loginPort = (login.address() as AddressInfo).port;
  const port = await findFreePort();
  const snippet = replaceAll(takeBlock(name), [
    [WORKER, `127.0.0.1:${world.port}`],
    [LOGIN, `127.0.0.1:${loginPort}`],
  ]);
  await PROXIES[name](context, snippet, port);
  const send = async ({ method = 'GET', path, headers = {}, body }: Asked) => {
    const sent = request({
      ...{ host: '127.0.0.1', port, localAddress: CLIENT, servername: HOST },
      // Who it is does not matter here: each has made its own certificate.
      ...{ method, path, rejectUnauthorized: false, agent: false },
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: { host: HOST, ...headers },
    });
    // What follows an answer is the end of a request that was refused before it was all there.
    sent.on('error', () => {});
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  };
  return Object.assign(proxied, {
    stopLogin,
    async ask(wish: Asked) {
      const response = await send(wish);
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      const isJson = /[/+]json\b/.test(response.headers['content-type'] ?? '') && text !== '';
      const { statusCode: status = 0, headers } = response;
      return { status, headers, text, json: isJson ? JSON.parse(text) : {} };
    },
    async listen(path: string) {
      const response = await send({ path, headers: SIGNED_IN });
      defer(context, () => response.destroy());
      return new Listener(response);
    },
  });
}

/**
 * Authelia's endpoints for these proxies, as far as they go here: each proxy says in its own way what is asked for, without a body,
 * and passes on the cookie; who has not signed in is sent to the page for that, with the status that the proxy understands.
 */
function answerLogin(
  name: ProxyName,
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  { asked, person }: Pick<Proxied, 'asked' | 'person'>,
): void {
  const said = (header: string) => String(headers[header]);
  const about = {
    caddy: {
      path: '/api/authz/forward-auth',
      method: said('x-forwarded-method'),
      url: `${said('x-forwarded-proto')}://${said('x-forwarded-host')}${said('x-forwarded-uri')}`,
    },
    nginx: {
      path: '/api/authz/auth-request',
      method: said('x-original-method'),
      url: said('x-original-url'),
    },
  }[name];
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'];
  // Caddy leaves the query on it.
  if (method !== 'GET' || url?.split('?')[0] !== about.path || hasBody) {
    response.writeHead(500).end();
    return;
  }
  asked.push({ method: about.method, url: about.url });
  if (headers.cookie !== SIGNED_IN.cookie) {
    const page = `${LOGIN_PAGE}?rd=${encodeURIComponent(about.url)}`;
    response.writeHead(name === 'nginx' ? 401 : 302, { location: page }).end();
    return;
  }
  response.writeHead(200, person === '' ? {} : { 'remote-user': person }).end();
}

/** The settings that the document names beside the snippets. */
function readSettings(): Record<string, string> {
  const lines = takeBlock('ini').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

/** The one block of code of that language in the document. */
function takeBlock(language: string): string {
  const blocks = [...DOCUMENT.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const texts = blocks.filter(([, word]) => word === language).map(([, , text = '']) => text);
  assert.equal(texts.length, 1, `blocks of ${language} in docs/access.md`);
  return texts[0] ?? '';
}

/** Fails where there is nothing to replace: the document says something else by now. */
function replaceAll(
  text: string,
  changes: readonly (readonly [from: string, to: string])[],
): string {
  let changed = text;
  for (const [from, to] of changes) {
    assert.ok(changed.includes(from), `${from} is in the snippet`);
    changed = changed.replaceAll(from, to);
  }
  return changed;
}

const PROXIES: Readonly<
  Record<ProxyName, (context: TestContext, snippet: string, port: number) => Promise<void>>
> = {
  async caddy(context, snippet, port) {
    const folder = makeFolder(context);
    const file = join(folder, 'Caddyfile');
    const options = [
      ...['admin off', 'local_certs', 'skip_install_trust', 'auto_https disable_redirects'],
      ...[`https_port ${port}`, 'default_bind 127.0.0.1', `storage file_system "${folder}/store"`],
    ];
    writeFileSync(file, `{\n${options.map((line) => `\t${line}\n`).join('')}}\n${snippet}`);
    const argv = ['caddy', 'run', '--adapter', 'caddyfile', '--config', file];
    // It would wait for streams that are open.
    await run(context, { argv, folder, port, end: 'SIGKILL' });
  },

  async nginx(context, snippet, port) {
    const folder = makeFolder(context);
    const file = join(folder, 'nginx.conf');
    makeCertificate(folder, 'proxy');
    const server = replaceAll(snippet, [
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['/etc/ssl/deploy.example.com.pem', `"${folder}/proxy.crt"`],
      ['/etc/ssl/deploy.example.com.key', `"${folder}/proxy.key"`],
    ]);
    const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    for (const kind of kinds) mkdirSync(join(folder, kind));
    const paths = kinds.map((kind) => `${kind}_temp_path "${folder}/${kind}";\n`).join('');
    // The folder is that of the user who runs the test.
    const user = process.getuid?.() === 0 ? 'user root;\n' : '';
    writeFileSync(
      file,
      `${user}daemon off;\npid "${folder}/pid";\nevents {}\nhttp {\naccess_log off;\n${paths}${server}}\n`,
    );
    const argv = ['nginx', '-e', 'stderr', '-c', file, '-g', 'error_log stderr notice;'];
    // At once, and its worker with it.
    await run(context, { argv, folder, port, end: 'SIGTERM' });
  },
};

/** Runs a proxy until the test ends, and waits until it serves: neither says when its certificate is in use. */
async function run(
  context: TestContext,
  {
    argv: [program = '', ...args],
    folder,
    port,
    end,
  }: {
    readonly argv: readonly string[];
    readonly folder: string;
    readonly port: number;
    readonly end: NodeJS.Signals;
  },
): Promise<void> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  let hasEnded = false;
  const ended = once(child, 'close').finally(() => {
    hasEnded = true;
  });
  defer(context, async () => {
    child.kill(end);
    await ended;
  });
  await until(`${program} serves`, PATIENCE_MS, () => {
    if (hasEnded) throw new Error(`${program} has ended: ${said}`);
    return canShakeHands(port);
  });
}

async function canShakeHands(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port, servername: HOST, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function findFreePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
