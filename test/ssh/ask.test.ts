import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Failure, FailureError } from '../../shared/contract/outcome.ts';
import { startHost } from '../helpers/ssh-client.ts';
import { until } from '../helpers/until.ts';

const LIMIT_MS = 20_000;
const { lab, host, close } = await startHost();
const HTTP = 8101;
const HTTPS = 8102;
const SILENT = 8103;
const REFUSED = 8104;
const stop = new AbortController();
const folder = mkdtempSync('/tmp/podup-ask-');
const pem = (name: string) => readFileSync(join(folder, name), 'utf8');

/** Answers with the number in the path; `/there` redirects. Its certificate is for localhost and 127.0.0.1. */
const SERVERS = `
  const [key, cert] = process.argv.slice(1);
  const answer = (q, r) => {
    r.writeHead(Number(q.url.slice(1, 4)) || 200, { location: '/500' });
    if (q.url === '/204') r.end(); else r.write('x'.repeat(1e6));
  };
  require('node:http').createServer(answer).listen(${HTTP}, '127.0.0.1');
  require('node:https').createServer({ key, cert }, answer).listen(${HTTPS}, '127.0.0.1');
  require('node:net').createServer(() => {}).listen(${SILENT}, '127.0.0.1');
`;

let servers: Promise<unknown>;
before(async () => {
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=test', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', join(folder, 'key'), '-out', join(folder, 'cert')],
    ],
    { stdio: 'ignore' },
  );
  servers = host.run({
    argv: [process.execPath, '-e', SERVERS, '--', pem('key'), pem('cert')],
    timeoutMs: 600_000,
    signal: stop.signal,
  });
  await until(
    'the servers are up',
    LIMIT_MS,
    async () => (await lab.exec(`: > /dev/tcp/127.0.0.1/${SILENT}`)).code === 0,
  );
});
after(async () => {
  stop.abort();
  await servers;
  await close();
  rmSync(folder, { recursive: true });
});

async function refused(asked: Promise<unknown>): Promise<Failure> {
  const failure = (await asked) as Failure;
  assert.equal(failure?.code, 'GATE_PROBE_FAILED', JSON.stringify(failure));
  return failure;
}

describe('a TCP probe', () => {
  test('is content where something listens there', async () => {
    assert.equal(await host.probeTcp('127.0.0.1', HTTP, LIMIT_MS), null);
    assert.equal(await host.probeTcp('localhost', HTTP, LIMIT_MS), null);
  });

  test('says why where nothing does', async () => {
    const { detail } = await refused(host.probeTcp('127.0.0.1', REFUSED, LIMIT_MS));
    assert.equal(detail, `127.0.0.1:${REFUSED} on lab2: Connection refused.`);
    await refused(host.probeTcp('no-such-name', HTTP, LIMIT_MS));
  });

  test('looks from there, not from here', async (context) => {
    const here = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => here.listen(0, '127.0.0.1', resolve));
    context.after(() => {
      here.close();
      here.closeAllConnections();
    });
    const { port } = here.address() as AddressInfo;
    await refused(host.probeTcp('127.0.0.1', port, LIMIT_MS));
    await refused(host.askHttp(`http://127.0.0.1:${port}/`, LIMIT_MS));
  });

  for (const [name, port] of [
    ['-x', 1],
    ['a/b', 1],
    ['$(id)', 1],
    ['a', 0],
    ['a', 65_536],
  ] as const)
    test(`refuses ${name}:${port}`, async () => {
      await refused(host.probeTcp(name, port, LIMIT_MS));
      const connected = await host.connect(name, port, AbortSignal.timeout(LIMIT_MS));
      assert.equal(connected.ok, false);
    });
});

describe('a question over HTTP', () => {
  for (const path of ['200', '204', '302', '404', '503'])
    test(`is answered ${path}`, async () => {
      const status = { status: Number(path) };
      assert.deepEqual(await host.askHttp(`http://127.0.0.1:${HTTP}/${path}`, LIMIT_MS), status);
      assert.deepEqual(await host.askHttp(`http://localhost:${HTTP}/${path}`, LIMIT_MS), status);
    });

  test('says why where nothing listens', async () => {
    const { detail } = await refused(host.askHttp(`http://127.0.0.1:${REFUSED}/`, LIMIT_MS));
    assert.match(
      detail,
      new RegExp(`^127\\.0\\.0\\.1:${REFUSED} on lab2: not connected there \\(.+\\)\\.$`),
    );
  });

  test('says so where no answer comes in time, and not its query', async () => {
    const url = `http://user:pass@127.0.0.1:${SILENT}/a?token=secret`;
    const { detail } = await refused(host.askHttp(url, 500));
    assert.equal(detail, `http://127.0.0.1:${SILENT}/a: no answer within 500 ms.`);
  });

  test('is refused where it is no URL of the web', async () => {
    await refused(host.askHttp('ftp://localhost/', LIMIT_MS));
    await refused(host.askHttp('localhost', LIMIT_MS));
  });
});

describe('a question over HTTPS', () => {
  test('is refused where the certificate is not trusted', async () => {
    const { detail } = await refused(host.askHttp(`https://localhost:${HTTPS}/200`, LIMIT_MS));
    assert.match(detail, /DEPTH_ZERO_SELF_SIGNED_CERT/);
  });

  test('is answered where it is, for the name and for the address', async (context) => {
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, pem('cert')]);
    context.after(() => setDefaultCACertificates(trusted));
    for (const name of ['localhost', '127.0.0.1'])
      assert.deepEqual(await host.askHttp(`https://${name}:${HTTPS}/204`, LIMIT_MS), {
        status: 204,
      });
    // The same server by a name that is not in the certificate.
    const { detail } = await refused(host.askHttp(`https://lab:${HTTPS}/204`, LIMIT_MS));
    assert.match(detail, /ERR_TLS_CERT_ALTNAME_INVALID/);
  });
});

describe('a stream', () => {
  test('carries bytes both ways and ends with its place', async () => {
    const connected = await host.connect('127.0.0.1', HTTP, AbortSignal.timeout(LIMIT_MS));
    assert.ok(connected.ok);
    connected.value.write('GET /204 HTTP/1.0\r\n\r\n');
    let answer = '';
    for await (const chunk of connected.value) answer += chunk;
    assert.match(answer, /^HTTP\/1\.1 204 /);
  });

  test('that is refused there fails with what ssh says', async () => {
    const connected = await host.connect('127.0.0.1', REFUSED, AbortSignal.timeout(LIMIT_MS));
    assert.ok(connected.ok);
    await assert.rejects(
      async () => {
        for await (const _ of connected.value);
      },
      (error) => error instanceof FailureError && error.failure.code === 'GATE_PROBE_FAILED',
    );
  });

  test('ends with its signal', async () => {
    const stopper = new AbortController();
    const connected = await host.connect('127.0.0.1', SILENT, stopper.signal);
    assert.ok(connected.ok);
    const closed = new Promise((resolve) => connected.value.once('close', resolve));
    stopper.abort();
    await closed;
  });
});
