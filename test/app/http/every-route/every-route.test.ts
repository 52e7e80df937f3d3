import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { OpenApi } from '../../../../app/api/openapi.ts';
import { problemView } from '../../../../app/api/problem.ts';
import { isSchema, refusalsOf, type ServedForm } from '../../../../app/api/route-form.ts';
import { isGuarded } from '../../../helpers/guarded.ts';
import { type Answer, type Asked, ask as askPlainly, TOKEN } from '../http-fixture.ts';
import { listen } from '../sse-listener.ts';
import { type ApiDocument, readDocument } from './document.ts';
import { faultyBodies, faultyQueries } from './faulty-input.ts';
import { type Call, ROWS } from './rows.ts';
import { serveAll, type World } from './serve-all.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const ADMIN = { authorization: `Bearer ${TOKEN}` };

let folder = '';
let world: World;
let api: ApiDocument;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'podup every route é '));
  world = await serveAll(folder);
  const { json } = await ask(world.port, { path: '/openapi.json' });
  api = readDocument(json as unknown as OpenApi);
});

after(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

test('every route that is served has a row here, and every row is a route', () => {
  const served = world.app.servedForms.map(nameOf).sort();
  assert.deepEqual(Object.keys(ROWS).sort(), served);
  // What the router knows, as it says it itself: each path is either one of those, or refuses.
  const urls = new Set(world.app.servedForms.map(({ url }) => url));
  for (const url of world.app.servedUrls) {
    // One that older scripts write with a slash at its end is the same route.
    assert.ok(urls.has(url.replace(/\/$/, '')), `${url} has no form`);
  }
});

for (const [name, callsOf] of Object.entries(ROWS)) {
  describe(name, () => {
    const find = () => {
      const form = world.app.servedForms.find((one) => nameOf(one) === name);
      assert.ok(form);
      return { form, operation: api.find(form), calls: callsOf(world) };
    };

    test('takes no other method than those of its path', async () => {
      const { form, calls } = find();
      const taken = world.app.servedForms.filter(({ url }) => url === form.url);
      const methods = taken.map(({ method }) => method);
      for (const method of METHODS.filter((one) => !methods.includes(one as 'GET'))) {
        const path = pathOf(form, calls[0]).split('?', 1)[0] ?? '';
        const { status, headers } = await ask(world.port, { method, path, headers: ADMIN });
        assert.equal(status, 405, method);
        assert.deepEqual((headers.allow ?? '').split(', ').sort(), [...methods].sort());
      }
    });

    test('lets nobody in who may not call it', async () => {
      const { form, calls } = find();
      const { method, needs } = form;
      const { status } = await ask(world.port, { method, path: pathOf(form, calls[0]) });
      assert.equal(status === 401 || status === 415, needs !== 'anyone', String(status));
    });

    test('names the field of a query that is unknown or wrong', async () => {
      const { form, operation, calls } = find();
      for (const { field, given } of faultyQueries(operation)) {
        const [path, query = ''] = pathOf(form, calls[0]).split('?');
        const rest = query.split('&').filter((one) => one !== '' && !one.startsWith(`${field}=`));
        const all = [...rest, given].join('&');
        refuses(field, await call(form, { is: 400, path: `${path}?${all}` }));
      }
    });

    test('names the field of a body that is unknown or wrong', async () => {
      const { form, operation, calls } = find();
      const [good] = calls;
      if (form.body === undefined) return;
      for (const { field, given } of faultyBodies(operation, good?.body ?? {})) {
        refuses(field, await call(form, { ...good, is: 400, body: given }));
      }
      for (const raw of ['{"', '[]', 'null', '7']) {
        const { status } = await call(form, { ...good, is: 400, raw });
        assert.equal(status, 400, raw);
      }
    });

    test('answers as its schemas and the document say', async (t) => {
      const { form, operation, calls } = find();
      for (const one of calls) {
        if (isStream(form) && one.is === 200) await hear(t, form, one);
        else holds(form, operation, one, await call(form, one));
      }
    });
  });
}

/** Asks; whatever is answered, browsers have to be told what they may do with it. */
async function ask(port: number, asked: Asked): Promise<Answer> {
  const answer = await askPlainly(port, asked);
  isGuarded(answer.headers, `${asked.method ?? 'GET'} ${asked.path} (${answer.status})`);
  // People reach this one by https.
  assert.match(String(answer.headers['strict-transport-security']), /^max-age=\d{8}$/);
  return answer;
}

function nameOf({ method, url }: ServedForm): string {
  return `${method} ${url}`;
}

function pathOf({ url }: ServedForm, one: Call | undefined): string {
  return one?.path ?? url;
}

function call(form: ServedForm, one: Call): Promise<Answer> {
  const { body, raw, headers } = one;
  const text = raw ?? (body && JSON.stringify(body));
  const isJson = text !== undefined && { 'content-type': 'application/json' };
  const path = pathOf(form, one);
  const all = {
    ...(form.needs !== 'anyone' && form.needs !== 'hook' && ADMIN),
    ...isJson,
    ...headers,
  };
  return ask(world.port, { method: form.method, path, headers: all, ...(text && { body: text }) });
}

function refuses(field: string, { status, json }: Answer): void {
  assert.deepEqual([status, json['code']], [400, 'REQUEST_INVALID'], JSON.stringify(json));
  assert.ok(String(json['detail']).includes(field), `${field}: ${json['detail']}`);
}

function holds(
  form: ServedForm,
  operation: ReturnType<ApiDocument['find']>,
  { is, code }: Call,
  { status, headers, text, json }: Answer,
): void {
  assert.deepEqual([status, json['code']], [is, code], text);
  const type = headers['content-type']?.split(';', 1)[0] ?? '';
  const answer = form.answers[status];
  if (code !== undefined) {
    problemView.parse(json);
    const known = refusalsOf(form) as readonly string[];
    assert.ok(form.fails === true || known.includes(code), `${code} is not in the form`);
  } else if (answer === null) assert.equal(text, '');
  else {
    assert.ok(answer, `${status} is not in the form`);
    if (isSchema(answer)) answer.parse(json);
    else assert.ok(answer.media.includes(type), type);
  }
  // What is no object is read by whoever asked for it.
  if (/json$/.test(type)) api.check(operation, status, type, json);
}

function isStream({ answers: { 200: answer } }: ServedForm): boolean {
  return answer !== undefined && answer !== null && !isSchema(answer) && 'events' in answer;
}

/** The events that come at once are those that the form names, and as it says. */
async function hear(context: TestContext, form: ServedForm, one: Call): Promise<void> {
  const listener = await listen(context, world.port, pathOf(form, one));
  isGuarded(listener.response.headers, nameOf(form));
  const heard = await listener.hear(1);
  const answer = form.answers[200];
  assert.ok(answer && !isSchema(answer) && answer.events);
  for (const { event = '', data = '' } of heard) {
    assert.ok(answer.events[event], `${event} is not in the form`);
    answer.events[event]?.parse(JSON.parse(data));
  }
}
