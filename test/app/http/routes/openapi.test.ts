import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { registerOpenApi } from '../../../../app/http/routes/openapi.ts';
import { ask, startApp } from '../http-fixture.ts';

describe('GET /openapi.html', () => {
  test('needs nothing but itself, and lets nothing else in', async (t) => {
    const { port } = await startApp(t, { prepare: registerOpenApi });
    const { status, headers, text } = await ask(port, { path: '/openapi.html' });
    assert.equal(status, 200);
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(text) ?? [];
    const digest = createHash('sha256').update(style).digest('base64');
    assert.equal(
      headers['content-security-policy'],
      `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    assert.doesNotMatch(text, /<script|<link|<img|\ssrc=|\sstyle=|@import|url\(/i);
    const links = [...text.matchAll(/href="([^"]*)"/g)].map(([, link]) => link ?? '');
    assert.deepEqual(
      links.filter((link) => !link.startsWith('#') && link !== '/openapi.json'),
      [],
    );
    // Where a link leads to there is something.
    const ids = new Set([...text.matchAll(/id="([^"]*)"/g)].map(([, id]) => `#${id}`));
    assert.deepEqual(
      links.filter((link) => link.startsWith('#') && !ids.has(link)),
      [],
    );
    assert.match(text, /<code>POST \/api\/tasks\/\{id\}\/stop<\/code>/);
  });
});

describe('GET /openapi.json', () => {
  test('names what is served and nothing else, and who may call it', async (t) => {
    const { port, app } = await startApp(t, { prepare: registerOpenApi });
    const { json } = await ask(port, { path: '/openapi.json' });
    const paths = json['paths'] as Record<string, Record<string, { security: object[] }>>;
    const named = Object.values(paths).flatMap((ofPath) => Object.keys(ofPath));
    assert.equal(named.length, app.servedForms.length);
    assert.deepEqual(paths['/api/tasks']?.['get']?.security, [
      { token: ['read'] },
      { session: ['read'] },
    ]);
    assert.deepEqual(paths['/openapi.json']?.['get']?.security, []);
    assert.deepEqual(paths['/github-package-update/{service}']?.['post']?.security, [
      { signature: [] },
    ]);
  });
});
