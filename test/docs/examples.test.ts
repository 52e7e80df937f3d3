// Needs: curl, openssl, od, base64
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { serveAll } from '../app/http/every-route/serve-all.ts';
import { ask, defer, makeFolder, SECRET, TOKEN } from '../app/http/http-fixture.ts';

const run = promisify(execFile);

/** The block of shell in a document that has this word in it. */
function takeScript(document: string, word: string): string {
  const text = readFileSync(join(import.meta.dirname, '../../docs', document), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  const [script = '', ...others] = blocks.filter((block) => block.includes(word));
  assert.ok(script !== '' && others.length === 0, `one block with ${word} in docs/${document}`);
  return script;
}

async function runScript(script: string, secret: string) {
  const env = { PATH: process.env['PATH'], SECRET: secret };
  const { stdout } = await run('sh', ['-euc', script], { env });
  return JSON.parse(stdout);
}

test('the delivery to the path of a unit in docs/api.md is a good one', async (t) => {
  const world = await serveAll(makeFolder(t));
  defer(t, world.stop);
  const script = takeScript('api.md', '/github-package-update/web');
  assert.ok(script.includes('127.0.0.1:25111'));
  const here = script.replace('127.0.0.1:25111', `127.0.0.1:${world.port}`);
  const { verdict, unit } = await runScript(here, SECRET);
  assert.deepEqual([verdict, unit], ['accepted', 'web.service']);
  assert.equal((await runScript(here, 'another')).code, 'SIGNATURE_INVALID');
});

test('the delivery to a generic hook in docs/hooks.md is a good one', async (t) => {
  const world = await serveAll(makeFolder(t));
  defer(t, world.stop);
  const { json } = await ask(world.port, {
    ...{ method: 'POST', path: '/api/hooks' },
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'builds', source: 'generic' }),
  });
  const { text: secret } = json['secret'] as { readonly text: string };
  const script = takeScript('hooks.md', 'webhook-signature');
  assert.ok(script.includes('https://YOUR.HOST/hooks/NAME'));
  const here = script.replace(
    'https://YOUR.HOST/hooks/NAME',
    `http://127.0.0.1:${world.port}/hooks/builds`,
  );
  const { hook, verdict } = await runScript(here, secret);
  assert.deepEqual([hook, verdict], ['builds', 'accepted']);
  const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  assert.equal((await runScript(here, other)).code, 'HOOK_REFUSED');
});
