import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';

const script = join(import.meta.dirname, '../../scripts/scan-secrets.ts');

function scan(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'podup secrets '));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], {
    encoding: 'utf8',
  });
  return { status, text: stdout + stderr };
}

/** Made when the test runs: what stands in a file is found by the scan of this very tree. */
const random = (length: number) =>
  `a1${randomBytes(length).toString('base64').replaceAll(/\W/g, 'x')}`.slice(0, length);

describe('the scan finds', () => {
  const value = random(36);
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  for (const [title, name, content] of [
    ['a token of GitHub', 'docs/a.md', `as in \`${'ghp'}_${value}\` …`],
    ['a token of GitHub in a built file', 'dist/chunks/x.mjs', `var e="${'ghp'}_${value}";`],
    ['a token of GitLab', 'b.yml', `job: ${'glpat'}-${value.slice(0, 20)}\n`],
    ['a token of npm', '.npmrc', `//registry.npmjs.org/:_authToken=${'npm'}_${value}\n`],
    ['a private key', 'c.txt', String(privateKey)],
    ['a password in a URL', 'd.ts', `get('https://me:${value}@registry.corp.io/v2/')`],
    ['a setting with its secret', 'systemd/e.service', `Environment=PODUP_TOKEN=${value}\n`],
    ['a secret beside its name in code', 'f.ts', `const webhookSecret = '${value}';`],
    ['a secret beside its name in JSON', 'g.json', `{"client_secret": "${value}"}`],
    ['a secret in a hidden folder', '.ci/run', `export API_KEY=${value}`],
    ['a file of variables', 'h/.env', 'A=b\n'],
    ['the credentials of registries', 'auth.json', '{}'],
    ['a key file', 'k.pem', 'x'],
  ] as const) {
    test(title, (t) => {
      const { status, text } = scan(t, { [name]: content, 'other.ts': 'export {};\n' });
      assert.equal(status, 1, text);
      assert.ok(text.includes(name), text);
      assert.ok(!text.includes(value), 'it prints what it found');
    });
  }
});

test('the scan finds nothing in what only speaks of secrets', (t) => {
  const { status, text } = scan(t, {
    'a.md': 'Set `PODUP_TOKEN=…` and send `Authorization: Bearer TOKEN`.\n',
    'b.ts': `const digest = 'sha256:${'ab'.repeat(32)}'; const token = readToken(settings);`,
    'c.ts': "parse('https://user:secret@example.org/')",
  });
  assert.equal(status, 0, text);
  assert.match(text, /^3 files hold no secret/);
});

test('the scan of an empty folder is no proof of anything', (t) => {
  assert.equal(scan(t, {}).status, 1);
});
