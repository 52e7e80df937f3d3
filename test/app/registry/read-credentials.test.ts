import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseImageReference } from '../../../app/domain/image-reference.ts';
import { readAuthFile } from '../../../app/registry/read-auth-file.ts';
import { authFileCandidates, findCredentials } from '../../../app/registry/read-credentials.ts';
import { runCommand } from '../../../shared/process/run-command.ts';

const READERS = { readText: readAuthFile, run: runCommand };

const SECRET = 'zgeheim:mit:doppelpunkt';
const folder = mkdtempSync(join(tmpdir(), 'podup credentials '));
const path = process.env['PATH'];

before(() => {
  process.env['PATH'] = `${folder}${delimiter}${path}`;
});
after(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

let files = 0;
function writeAuthFile(content: unknown): string {
  files += 1;
  const file = join(folder, `auth-${files}.json`);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function writeHelper(name: string, script: string): void {
  writeFileSync(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, {
    mode: 0o755,
  });
}

function encode(pair: string): { auth: string } {
  return { auth: Buffer.from(pair).toString('base64') };
}

async function find(image: string, ...contents: readonly unknown[]) {
  const reference = parseImageReference(image);
  assert.ok(reference);
  const found = await findCredentials(reference, contents.map(writeAuthFile), READERS);
  assert.ok(!JSON.stringify(found.ok ? '' : found.failure).includes('zgeheim'));
  return found;
}

/** `user password` or `token`, or the code of the failure. */
async function findText(image: string, ...contents: readonly unknown[]): Promise<string> {
  const found = await find(image, ...contents);
  if (!found.ok) return found.failure.code;
  if (!found.value) return 'none';
  const { value } = found;
  return value.kind === 'password' ? `${value.username} ${value.password}` : value.identityToken;
}

describe('authFileCandidates', () => {
  const home = { XDG_RUNTIME_DIR: '/run/user/7', HOME: '/home/u', uid: 7 };
  const users = [
    '/home/u/.config/containers/auth.json',
    '/home/u/.docker/config.json',
    '/home/u/.dockercfg',
  ];
  const chosen = { ...home, REGISTRY_AUTH_FILE: '/a.json', DOCKER_CONFIG: '/d' };
  const rows = [
    ['the runtime folder comes first', home, true, ['/run/user/7/containers/auth.json', ...users]],
    ['what is chosen is the only one of podman 5', chosen, true, ['/a.json']],
    [
      'what is chosen is the first of podman 4',
      chosen,
      false,
      ['/a.json', '/home/u/.config/containers/auth.json', '/d/config.json', '/home/u/.dockercfg'],
    ],
    ['DOCKER_CONFIG chooses, too', { ...home, DOCKER_CONFIG: '/d' }, true, ['/d/config.json']],
    [
      'without a runtime folder it is the one of the user number',
      { XDG_RUNTIME_DIR: '', HOME: '', XDG_CONFIG_HOME: '/c', uid: 7 },
      true,
      ['/run/user/7/containers/auth.json', '/c/containers/auth.json'],
    ],
    ['of root it is another one', { uid: 0 }, true, ['/run/containers/0/auth.json']],
  ] as const;
  for (const [title, environment, isStrict, expected] of rows) {
    test(title, () => assert.deepEqual(authFileCandidates(environment, isStrict), expected));
  }
});

describe('.dockercfg', () => {
  const READ: readonly (readonly [string, unknown, string])[] = [
    ['is its entries alone', { 'r.io': encode('user:1') }, 'user 1'],
    ['has URLs as keys', { 'https://r.io/v1/': encode('user:1') }, 'user 1'],
    ['knows no paths', { 'r.io/ns': encode('path:1'), 'r.io': encode('user:1') }, 'user 1'],
    ['of a file with auths is none', { auths: { 'r.io': encode('user:1') } }, 'nothing'],
  ];
  for (const [title, content, expected] of READ) {
    test(title, async () => {
      const file = join(mkdtempSync(join(folder, 'home-')), '.dockercfg');
      writeFileSync(file, JSON.stringify(content));
      const reference = parseImageReference('r.io/ns/app:1');
      assert.ok(reference);
      const found = await findCredentials(reference, [file], READERS);
      assert.ok(found.ok);
      const { value } = found;
      const text = value?.kind === 'password' ? `${value.username} ${value.password}` : 'nothing';
      assert.equal(text, expected);
    });
  }
});

describe('findCredentials', () => {
  const paths = {
    auths: {
      'r.io': encode('host:1'),
      'r.io/ns': encode('ns:2'),
      'r.io/ns/app': encode('app:3'),
      'r.io/other': encode('other:4'),
    },
  };
  const rows: readonly (readonly [title: string, image: string, file: unknown, found: string])[] = [
    ['the longest path wins', 'r.io/ns/app:1', paths, 'app 3'],
    ['a shorter path counts for what lies under it', 'r.io/ns/apple/x', paths, 'ns 2'],
    ['the host is the last to be tried', 'r.io/some/app', paths, 'host 1'],
    ['another host gets nothing', 'r.io.evil.net/ns/app', paths, 'none'],
    ['a port is part of the host', 'r.io:5000/ns/app', paths, 'none'],
    [
      'a path of another name gives nothing to the host',
      'r.io/x',
      { auths: { 'r.io/ns': encode('ns:2') } },
      'none',
    ],
    [
      'a key with a scheme means its host',
      'r.io/x',
      { auths: { 'https://r.io/v2/': encode('u:1') } },
      'u 1',
    ],
    [
      'Docker Hub has its historical key',
      'nginx',
      {
        auths: {
          'https://index.docker.io/v1/access-token': encode('no:0'),
          'https://index.docker.io/v1/': encode('hub:1'),
        },
      },
      'hub 1',
    ],
    [
      'Docker Hub has several hosts',
      'docker.io/a/b',
      { auths: { 'registry-1.docker.io': encode('hub:2') } },
      'hub 2',
    ],
    [
      'its own name beats the historical key',
      'a/b',
      {
        auths: { 'https://index.docker.io/v1/': encode('old:1'), 'docker.io': encode('new:2') },
      },
      'new 2',
    ],
    [
      'a password may contain colons',
      'r.io/x',
      { auths: { 'r.io': encode(`u:${SECRET}`) } },
      `u ${SECRET}`,
    ],
    ['padding is cut off', 'r.io/x', { auths: { 'r.io': encode('u:pw\0\0') } }, 'u pw'],
    [
      'an identity token is preferred to a password',
      'r.io/x',
      { auths: { 'r.io': { ...encode('u:p'), identitytoken: 'idt' } } },
      'idt',
    ],
    ['an empty entry is none', 'r.io/x', { auths: { 'r.io': {} } }, 'none'],
    ['a file without entries has none', 'r.io/x', {}, 'none'],
  ];
  for (const [title, image, file, found] of rows) {
    test(title, async () => assert.equal(await findText(image, file), found));
  }

  test('the first file that has credentials wins, and is named', async () => {
    const missing = join(folder, 'missing.json');
    const beneathFile = join(writeAuthFile({}), 'auth.json');
    const first = writeAuthFile({ auths: { 'other.io': encode('o:0') } });
    const second = writeAuthFile({ auths: { 'r.io': encode('u:1') } });
    const third = writeAuthFile('not even JSON');
    const files = [missing, beneathFile, first, second, third];
    const image = { registry: 'r.io', repository: 'x' };
    assert.deepEqual(await findCredentials(image, files, READERS), {
      ok: true,
      value: { kind: 'password', username: 'u', password: '1', authFile: second },
    });
  });

  const unreadable: readonly (readonly [title: string, content: unknown])[] = [
    ['what is not JSON', `{"auths": {"r.io": {"auth": "${SECRET}`],
    ['what has another shape', { auths: { 'r.io': { auth: [SECRET] } } }],
    ['an entry that is not base64', { auths: { 'r.io': { auth: SECRET } } }],
    ['an entry with more than base64', { auths: { 'r.io': { auth: `${encode('u:1').auth}!` } } }],
    ['an entry without a colon', { auths: { 'r.io': encode('zgeheim') } }],
    ['more than 1 MiB', JSON.stringify({ auths: {}, pad: 'x'.repeat(1_048_576) })],
    ['an empty file', ''],
  ];
  for (const [title, content] of unreadable) {
    test(`${title} is refused, naming the file`, async () => {
      const found = await find('r.io/x', content);
      assert.ok(!found.ok);
      assert.equal(found.failure.code, 'REGISTRY_CREDENTIALS_UNREADABLE');
      assert.ok(found.failure.detail.includes(join(folder, `auth-${files}.json`)));
    });
  }

  for (const [title, command] of [
    ['a named pipe is refused instead of waited for', 'mkfifo'],
    ['a folder in place of a file is refused', 'mkdir'],
  ] as const) {
    test(title, async () => {
      const odd = join(folder, command);
      execFileSync(command, [odd]);
      const image = { registry: 'r.io', repository: 'x' };
      const found = await findCredentials(image, [odd], READERS);
      assert.equal(!found.ok && found.failure.code, 'REGISTRY_CREDENTIALS_UNREADABLE');
    });
  }
});

describe('credential helpers', () => {
  before(() => {
    writeHelper(
      'echo',
      `[ "$#$1" = 1get ] || exit 9; read -r s; echo "{\\"ServerURL\\":\\"$s\\",\\"Username\\":\\"u of $s\\",\\"Secret\\":\\"${SECRET}\\"}"`,
    );
    writeHelper('token', `cat >/dev/null; echo '{"Username":"<token>","Secret":"idt"}'`);
    writeHelper('empty', `cat >/dev/null; echo 'credentials not found in native keychain'; exit 1`);
    writeHelper('broken', `cat >/dev/null; echo "${SECRET}"; echo "${SECRET}" >&2; exit 3`);
    writeHelper('garbage', `cat >/dev/null; echo "${SECRET}"`);
    const large = `echo '{"Username":"u","Secret":"'$(printf %070000d 0)'"}'`;
    writeHelper('large', `cat >/dev/null; ${large}`);
  });

  const base = { auths: { 'r.io': encode('plain:1') } };
  const rows: readonly (readonly [title: string, image: string, file: unknown, found: string])[] = [
    [
      'a helper of the registry decides',
      'r.io/x',
      { ...base, credHelpers: { 'r.io': 'echo' } },
      `u of r.io ${SECRET}`,
    ],
    ['a helper may hold an identity token', 'r.io/x', { credHelpers: { 'r.io': 'token' } }, 'idt'],
    [
      'a helper of another registry is not asked',
      'r.io/x',
      { ...base, credHelpers: { 'q.io': 'broken' } },
      'plain 1',
    ],
    [
      'a helper that has nothing decides too',
      'r.io/x',
      { ...base, credHelpers: { 'r.io': 'empty' } },
      'none',
    ],
    [
      'the general store is asked for what the file does not hold',
      'q.io/x',
      { ...base, credsStore: 'echo' },
      `u of q.io ${SECRET}`,
    ],
    [
      'the general store knows Docker Hub by its historical key',
      'nginx',
      { auths: { 'https://index.docker.io/v1/': {} }, credsStore: 'echo' },
      `u of https://index.docker.io/v1/ ${SECRET}`,
    ],
    ['an entry beats the general store', 'r.io/x', { ...base, credsStore: 'broken' }, 'plain 1'],
    ['a store that is not installed is passed over', 'q.io/x', { credsStore: 'absent' }, 'none'],
  ];
  for (const [title, image, file, found] of rows) {
    test(title, async () => assert.equal(await findText(image, file), found));
  }

  for (const [helper, said] of [
    ['broken', 'failed (3)'],
    ['garbage', 'printed no credentials'],
    ['large', 'failed ('],
    ['absent', 'which is not there'],
    ['../echo', 'invalid name'],
    ['echo x', 'invalid name'],
    ['', 'invalid name'],
  ] as const) {
    test(`the helper "${helper}" is refused without quoting it`, async () => {
      const found = await find('r.io/x', { credHelpers: { 'r.io': helper } });
      assert.ok(!found.ok);
      assert.equal(found.failure.code, 'REGISTRY_CREDENTIALS_UNREADABLE');
      assert.ok(found.failure.detail.includes(said), found.failure.detail);
    });
  }

  test('a helper ends with the look-up, and so does what it started', async () => {
    const held = join(folder, 'held');
    execFileSync('mkfifo', [held]);
    writeHelper('slow', `exec 3>"${held}"; echo started >&3; sleep 600 & sleep 600`);
    const file = writeAuthFile({ credHelpers: { 'r.io': 'slow' } });
    const limit = new AbortController();
    // cat ends when nobody holds the pipe any more.
    const reader = spawn('cat', [held]);
    const allGone = once(reader, 'close');
    reader.stdout.once('data', () => limit.abort(new DOMException('over', 'TimeoutError')));
    const image = { registry: 'r.io', repository: 'x' };
    const startedAt = performance.now();
    const found = await findCredentials(image, [file], READERS, limit.signal);
    assert.ok(performance.now() - startedAt < 5_000);
    assert.equal(!found.ok && found.failure.code, 'REGISTRY_TIMEOUT');
    await allGone;
  });
});
