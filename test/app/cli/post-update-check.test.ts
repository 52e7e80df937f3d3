import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openStore } from '../../../app/db/store.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { parseCheckAnswer } from '../../../shared/contract/helper-answers.ts';
import { sha256 } from '../../../shared/fs/sha256.ts';
import { makeFolder } from '../http/http-fixture.ts';
import { sendStatus, serve } from '../registry/fake-registry.ts';
import { runProgram } from './program.ts';

const SCRIPT = join(import.meta.dirname, '../../../scripts/pod-upgrade-trigger.ts');
const DIGEST = sha256(readFileSync(SCRIPT, 'utf8'));

/** A host without units, with a database and a folder of releases. */
function makeHost(context: TestContext) {
  const folder = makeFolder(context);
  const database = join(folder, 'data/pod-upgrade-trigger.db');
  const opened = openStore(database, { version: '0', nowMs: 1 });
  assert.ok(opened.ok);
  opened.value.close();
  mkdirSync(join(folder, 'releases'));
  const environment = {
    PODUP_STATE_DIR: folder,
    PODUP_RELEASE_BASE_URL: join(folder, 'releases'),
  };
  return { folder, database, environment };
}

async function check(
  context: TestContext,
  environment: Readonly<Record<string, string>>,
  ...words: readonly string[]
) {
  const run = await runProgram(context, ['post-update-check', ...words], environment);
  assert.deepEqual([run.code, run.stderr], [EXIT.ok, '']);
  const answer = parseCheckAnswer(JSON.parse(run.stdout));
  assert.ok(answer, run.stdout);
  const codes = answer.checks.map(({ name, failure }) => [name, failure?.code ?? 'well']);
  return { answer, codes };
}

/** A port on which nobody listens any more. */
async function findClosedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** A host whose units run images of these registries. */
function installUnits(folder: string, registries: readonly string[]): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const cases = registries.map((registry, index) => {
    const argv = ['podman', 'run', '--rm', `${registry}/octo-org/app:latest`];
    const start = JSON.stringify({ type: 'a', data: [['/usr/bin/podman', argv]] });
    return `*unit${index}*Service*) printf '%s\\n' '{"data":"success"}' '{"data":1}' '${start}';;`;
  });
  const general = `printf '%s\\n' '{"data":"loaded"}' '{"data":"active"}' '{"data":"running"}' '{"data":false}'`;
  const busctl = `#!/bin/sh\ncase "$*" in\n${cases.join('\n')}\n*) ${general};;\nesac\n`;
  writeFileSync(join(bin, 'busctl'), busctl, { mode: 0o755 });
  const rules = Object.fromEntries(registries.map((registry) => [registry, { Insecure: true }]));
  const podman = `#!/bin/sh\necho '${JSON.stringify({ registries: rules })}'\n`;
  writeFileSync(join(bin, 'podman'), podman, { mode: 0o755 });
  return bin;
}

test('a whole program on a sound host finds all well', async (t) => {
  const { environment } = makeHost(t);
  const { answer, codes } = await check(t, environment, '--expect', DIGEST);
  assert.deepEqual(codes, [
    ['own-files', 'well'],
    ['database', 'well'],
    ['release-source', 'well'],
  ]);
  assert.equal(answer.digest, DIGEST);
});

test('another program file, a damaged database and a source that is gone are all found at once', async (t) => {
  const { database, environment } = makeHost(t);
  writeFileSync(database, 'no database '.repeat(1_000));
  const source = `http://127.0.0.1:${await findClosedPort()}/`;
  const broken = { ...environment, PODUP_RELEASE_BASE_URL: source };
  const { codes } = await check(t, broken, '--expect', 'a1'.repeat(32));
  assert.deepEqual(codes, [
    ['own-files', 'UPDATE_WRONG_PROGRAM'],
    ['database', 'DATABASE_UNAVAILABLE'],
    ['release-source', 'RELEASE_SOURCE_UNREACHABLE'],
  ]);
});

test('each registry of the configured units is asked, once, and any answer will do', async (t) => {
  const { folder, environment } = makeHost(t);
  const registry = await serve(t, (_received, response) => sendStatus(response, 404));
  const there = `127.0.0.1:${registry.port}`;
  const gone = `127.0.0.1:${await findClosedPort()}`;
  const bin = installUnits(folder, [there, gone, there]);
  const { codes } = await check(t, {
    ...environment,
    PATH: `${bin}:${process.env['PATH']}`,
    PODUP_MANUAL_UNITS: 'unit0, unit1, unit2',
  });
  assert.deepEqual(
    codes.filter(([name]) => name === 'registry'),
    [
      ['registry', 'well'],
      ['registry', 'REGISTRY_UNREACHABLE'],
    ],
  );
  assert.ok(registry.received.length > 0);
});

test('without a valid configuration it ends with 78', async (t) => {
  const environment = { PODUP_STATE_DIR: 'relative' };
  const { code } = await runProgram(t, ['post-update-check'], environment);
  assert.equal(code, EXIT.configInvalid);
});
