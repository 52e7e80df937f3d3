import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '../..');
const script = join(root, 'scripts/check-dependencies.ts');

type Lock = { packages: Record<string, Record<string, unknown>> };

function makeFolder(t: TestContext, change: (lock: Lock) => void, manifest = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'podup dependencies '));
  t.after(() => rmSync(folder, { recursive: true }));
  const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));
  const lock = read('package-lock.json') as Lock;
  change(lock);
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ ...read('package.json'), ...manifest }),
  );
  return folder;
}

async function check(folder: string, ...args: readonly string[]) {
  const argv = [script, `--folder=${folder}`, ...args];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { out, err, code };
}

test('the lock file of this project is what it may be', async (t) => {
  const { code, out, err } = await check(makeFolder(t, () => {}));
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^\d{3} locked packages are what they may be\.\n$/);
});

describe('a lock file is refused', () => {
  const fastify = 'node_modules/fastify';
  for (const [title, path, change, said] of [
    [
      'with a package from a repository',
      fastify,
      { resolved: 'git+ssh://git@github.com/someone/fastify.git#0123' },
      /^fastify@\S+ does not come from the registry\.$/m,
    ],
    [
      'with a package from another registry',
      fastify,
      { resolved: 'https://packages.example.com/fastify-5.tgz' },
      /^fastify@\S+ does not come from the registry\.$/m,
    ],
    ['with a link to a folder', fastify, { link: true }, /^fastify@\S+ does not come from/m],
    [
      'with a package without a digest',
      fastify,
      { integrity: undefined },
      /^fastify@\S+ has no SHA/m,
    ],
    [
      'with a digest that can be made to fit',
      fastify,
      { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' },
      /^fastify@\S+ has no SHA-512 digest\.$/m,
    ],
    [
      'with a weak digest of what is optional',
      'node_modules/@biomejs/cli-linux-x64-musl',
      { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' },
      /has no SHA-512 digest\.$/m,
    ],
    [
      'with a package under another name',
      fastify,
      { name: 'fastifyy' },
      /^fastify@\S+ is fastifyy under another name\.$/m,
    ],
    [
      'with a new install script',
      'node_modules/knip',
      { hasInstallScript: true },
      /^knip@\S+ wants to run a script/m,
    ],
    ['with a deprecated package', fastify, { deprecated: 'Broken.' }, /is deprecated: Broken\.$/m],
    ['that serves under a licence with conditions', fastify, { license: 'AGPL-3.0' }, /AGPL-3\.0/],
    ['that serves without a licence', fastify, { license: undefined }, /does not name\.$/m],
  ] as const) {
    test(title, async (t) => {
      const folder = makeFolder(t, ({ packages }) => {
        assert.ok(packages[path]);
        packages[path] = { ...packages[path], ...change };
      });
      const { code, out, err } = await check(folder);
      assert.equal(code, 1);
      assert.match(err, said);
      assert.equal(err.trim().split('\n').length, 1, err);
      assert.equal(out, '');
    });
  }

  test('whose manifest leaves a version open', async (t) => {
    const folder = makeFolder(t, () => {}, { devDependencies: { c8: '^12.0.0' } });
    const { code, err } = await check(folder);
    assert.deepEqual([code, err], [1, 'c8: ^12.0.0 is no exact version.\n']);
  });
});

describe('known weaknesses', () => {
  /** A registry of the test: npm itself asks it. */
  async function auditAt(t: TestContext, mode: string, answer: RequestListener) {
    const server = createServer(answer);
    t.after(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const folder = makeFolder(t, () => {});
    const cache = join(folder, 'cache');
    mkdirSync(cache);
    const { port } = server.address() as AddressInfo;
    writeFileSync(join(folder, '.npmrc'), `registry=http://127.0.0.1:${port}/\ncache=${cache}\n`);
    return check(folder, `--advisories=${mode}`);
  }

  /** Answers as the registry does, after it was asked for what this project serves and nothing else. */
  function know(advisories: object): RequestListener {
    return async (request, response) => {
      if (request.method !== 'POST') return void response.writeHead(404).end();
      assert.equal(request.url, '/-/npm/v1/security/advisories/bulk');
      const body = await buffer(request);
      const isZipped = request.headers['content-encoding'] === 'gzip';
      const asked = JSON.parse(String(isZipped ? gunzipSync(body) : body));
      assert.ok(asked.fastify?.length === 1 && asked.knip === undefined, JSON.stringify(asked));
      response.setHeader('content-type', 'application/json').end(JSON.stringify(advisories));
    };
  }

  const bad = {
    fastify: [
      {
        ...{ id: 1, url: 'https://example.org/GHSA-1', title: 'Lets everybody in' },
        ...{ severity: 'critical', vulnerable_versions: '<99.0.0', cwe: [], cvss: { score: 9.8 } },
      },
    ],
  };

  for (const mode of ['ask', 'required']) {
    test(`of what is served are a failure (${mode})`, async (t) => {
      const { code, err } = await auditAt(t, mode, know(bad));
      assert.equal(code, 1);
      assert.match(
        err,
        /^fastify .*\(critical\): Lets everybody in https:\/\/example\.org\/GHSA-1$/m,
      );
    });

    test(`that are none are none (${mode})`, async (t) => {
      const { code, out, err } = await auditAt(t, mode, know({}));
      assert.deepEqual([code, err], [0, '']);
      assert.match(out, /The registry knows no weakness of what is served\.\n$/);
    });
  }

  const closed: RequestListener = (_request, response) => void response.writeHead(405).end();

  test('that nobody tells of are a failure where they are required', async (t) => {
    const { code, err } = await auditAt(t, 'required', closed);
    assert.equal(code, 1);
    assert.match(err, /did not answer: 405/);
  });

  test('that nobody tells of are said to be left out where they are only asked for', async (t) => {
    const { code, out } = await auditAt(t, 'ask', closed);
    assert.equal(code, 0);
    assert.match(out, /^Left out\. The registry .* did not answer: 405/m);
  });
});
