import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type LookUpOptions, lookUpDigest } from '../../../app/registry/look-up-digest.ts';
import { parseRegistryRules } from '../../../app/registry/registry-rules.ts';
import type { Failure } from '../../../shared/contract/outcome.ts';
import { type FakeServer, type Reply, sendIndex, sendJson, sendStatus } from './fake-registry.ts';

export const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
export const PASSWORD = 'zgeheim-passwort';
export const BASIC = `Basic ${Buffer.from(`robot:${PASSWORD}`).toString('base64')}`;
export const IDENTITY = 'zgeheim-identity';
export const TOKEN = 'zgeheim-bearer';
const SECRETS = [PASSWORD, IDENTITY, TOKEN, BASIC.slice('Basic '.length), 'zgeheim'];

export const folder = mkdtempSync(join(tmpdir(), 'podup registry '));
export const passwordFile = join(folder, 'password.json');
export const identityFile = join(folder, 'identity.json');
const details: string[] = [];
after(() => rmSync(folder, { recursive: true }));

/** To be called last in a file: searches every failure detail that its look-ups produced. */
export function testThatNoFailureHasSecrets(atLeast: number): void {
  test('no failure contains a secret', () => {
    assert.ok(details.length >= atLeast, `only ${details.length} failures`);
    for (const detail of details) {
      for (const secret of SECRETS) assert.ok(!detail.includes(secret), detail);
    }
  });
}

export function imageAt({ port }: FakeServer, host = '127.0.0.1') {
  return { registry: `${host}:${port}`, repository: 'acme/app', tag: 'stable' };
}

/** Files whose entry is for the server; to be called before the look-up. */
export function login({ port }: FakeServer): void {
  const auth = BASIC.slice('Basic '.length);
  const key = `127.0.0.1:${port}`;
  writeFileSync(passwordFile, JSON.stringify({ auths: { [key]: { auth } } }));
  const entry = { auth, identitytoken: IDENTITY };
  writeFileSync(identityFile, JSON.stringify({ auths: { [key]: entry } }));
}

export async function lookUp(server: FakeServer, options: Partial<LookUpOptions> = {}) {
  const image = imageAt(server);
  const registries = parseRegistryRules({ [image.registry]: { Insecure: true } });
  const defaults = {
    registries,
    authFiles: [],
    timeoutMs: 20_000,
    userAgent: 'podup-test/1',
    retryPauseMs: 1,
  };
  const result = await lookUpDigest(image, { ...defaults, ...options });
  if (!result.ok) details.push(result.failure.detail);
  return result;
}

export async function expectFailure(
  code: Failure['code'],
  server: FakeServer,
  options?: Partial<LookUpOptions>,
): Promise<string> {
  const result = await lookUp(server, options);
  assert.ok(!result.ok, 'the look-up went well');
  assert.equal(result.failure.code, code, result.failure.detail);
  return result.failure.detail;
}

export const methods = ({ received }: FakeServer) => received.map(({ method }) => method);

/** Answers of a registry that wants a token of `/token` on the same server, and lets `grant` decide who gets one. */
export function tokenRegistry(grant: Reply, realm = '/token'): Reply {
  return (received, response, request) => {
    if (received.path === '/token') return grant(received, response, request);
    if (received.authorization === `Bearer ${TOKEN}`) return sendIndex(received, response);
    const base = realm.startsWith('/') ? `http://${request.headers.host}${realm}` : realm;
    const challenge = `Bearer realm="${base}",service="reg, istry",scope="repository:evil:push"`;
    sendStatus(response, 401, { 'www-authenticate': ['Negotiate', challenge] });
  };
}

export const grantAll: Reply = (_received, response) => sendJson(response, 200, { token: TOKEN });
