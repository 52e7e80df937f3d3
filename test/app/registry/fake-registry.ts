import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const INDEX = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [] });
export const DIGEST = digestOf(INDEX);

export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** What a server was sent. */
export type Received = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  readonly authorization: string | undefined;
  readonly userAgent: string | undefined;
  readonly body: string;
};

export type FakeServer = {
  readonly port: number;
  readonly received: Received[];
  readonly connections: () => number;
};

export type Reply = (
  received: Received,
  response: ServerResponse,
  request: IncomingMessage,
) => void;

export type Certificate = { readonly key: Buffer; readonly cert: Buffer };

/** A self-signed certificate for 127.0.0.1, 127.0.0.2 and localhost. */
export function makeCertificate(folder: string, name: string): Certificate {
  const key = join(folder, `${name}.key`);
  const cert = join(folder, `${name}.crt`);
  const names = 'subjectAltName=IP:127.0.0.1,IP:127.0.0.2,DNS:localhost';
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const text = ['-subj', `/CN=${name}`, '-addext', names, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...text, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** Serves on every loopback address until the test ends, and keeps what it is sent. */
export async function serve(
  t: TestContext,
  reply: Reply,
  certificate?: Certificate,
): Promise<FakeServer> {
  const received: Received[] = [];
  let connections = 0;
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://any');
      const { accept, authorization, 'user-agent': userAgent } = request.headers;
      const one = { accept, authorization, userAgent, body, query: url.searchParams };
      received.push({ method: request.method ?? '', path: url.pathname, ...one });
      reply(received.at(-1) as Received, response, request);
    });
  };
  const server = certificate
    ? createHttpsServer(certificate, listener)
    : createHttpServer(listener);
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, received, connections: () => connections };
}

/** Answers as a registry does that holds INDEX under every tag. */
export function sendIndex(received: Received, response: ServerResponse, digest = DIGEST): void {
  response.writeHead(200, {
    'content-type': INDEX_TYPE,
    'docker-content-digest': digest,
    'content-length': Buffer.byteLength(INDEX),
  });
  response.end(received.method === 'HEAD' ? undefined : INDEX);
}

export function sendStatus(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | string[]> = {},
): void {
  response.writeHead(status, headers);
  response.end();
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
