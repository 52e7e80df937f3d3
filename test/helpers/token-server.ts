import { execFileSync } from 'node:child_process';
import { createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const SERVICE = 'lab-registry';
const ISSUER = 'lab-token-server';

/** A server that hands out tokens for a registry: the real one verifies them. */
export type TokenServer = {
  /** What the configuration of the registry says under `auth`, as YAML on one line. */
  readonly auth: string;
  /** `repository:NAME:ACTIONS` of each token that was asked for, and by whom; empty: by nobody. */
  readonly granted: { readonly scope: string; readonly user: string }[];
  close(): void;
};

/**
 * Starts one (distribution, "Token Authentication Implementation"): signed with a key whose certificate the registry
 * trusts. Everything may be pulled by everybody, but what lies below `private/` only with the login.
 */
export async function startTokenServer(
  folder: string,
  login: { readonly username: string; readonly password: string },
): Promise<TokenServer> {
  mkdirSync(folder, { recursive: true });
  const certificateFile = join(folder, 'token.crt');
  const keyFile = join(folder, 'token.key');
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const out = ['-subj', `/CN=${ISSUER}`, '-days', '2', '-keyout', keyFile, '-out', certificateFile];
  execFileSync('openssl', ['req', '-x509', ...kind, ...out], { stdio: 'ignore' });
  const pem = readFileSync(certificateFile, 'utf8');
  const signer = {
    key: createPrivateKey(readFileSync(keyFile)),
    certificate: pem.replace(/-----[A-Z ]+-----|\s/g, ''),
  };
  const granted: TokenServer['granted'] = [];
  const basic = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { authorization } = request.headers;
    if (authorization !== undefined && authorization !== `Basic ${basic}`) {
      response.writeHead(401).end();
      return;
    }
    const user = authorization === undefined ? '' : login.username;
    const url = new URL(request.url ?? '', 'http://any');
    const scopes = url.searchParams.getAll('scope');
    for (const scope of scopes) granted.push({ scope, user });
    const access = scopes.flatMap((scope) => allow(scope, user));
    const token = makeToken(signer, user, access);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: 300, issued_at: new Date().toISOString() }));
  };
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const realm = `http://127.0.0.1:${port}/token`;
  const words = [`realm: "${realm}"`, `service: ${SERVICE}`, `issuer: ${ISSUER}`];
  return {
    auth: `{token: {${words.join(', ')}, rootcertbundle: "${certificateFile}"}}`,
    granted,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

type Access = {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
};

/** What of a scope is allowed: a token that allows nothing is one all the same, and the registry refuses it. */
function allow(scope: string, user: string): readonly Access[] {
  const [, name, actions = ''] = /^repository:(.+):([a-z,]+)$/.exec(scope) ?? [];
  if (name === undefined || (name.startsWith('private/') && user === '')) return [];
  const allowed = actions.split(',').filter((action) => action === 'pull');
  return [{ type: 'repository', name, actions: allowed }];
}

function makeToken(
  { key, certificate }: { readonly key: KeyObject; readonly certificate: string },
  user: string,
  access: readonly Access[],
): string {
  const now = Math.floor(Date.now() / 1_000);
  const head = { typ: 'JWT', alg: 'ES256', x5c: [certificate] };
  const claims = {
    ...{ iss: ISSUER, sub: user, aud: SERVICE, jti: randomUUID(), access },
    ...{ exp: now + 300, nbf: now - 10, iat: now },
  };
  const text = [head, claims].map(encode).join('.');
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
