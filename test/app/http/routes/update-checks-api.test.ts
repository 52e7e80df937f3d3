import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, askAdmin, TOKEN } from '../http-fixture.ts';
import { serveChecks } from '../serve-checks.ts';

type Check = { readonly unit: string; readonly update: Record<string, unknown> };
const URL = '/api/update-checks';

const post = (port: number, body: object) =>
  ask(port, {
    method: 'POST',
    path: URL,
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
  });

test('what was never looked for is unknown; looking at one unit leaves the other so', async (t) => {
  const { port, registry } = await serveChecks(t);
  const before = await askAdmin(port, URL);
  assert.equal(before.status, 200, before.text);
  for (const { update } of before.json['checks'] as Check[]) {
    assert.deepEqual([update['status'], update['reason']], ['unknown', 'CHECK_NOT_DONE']);
    assert.equal(update['tag'], 'latest');
  }
  assert.deepEqual(registry.asked, []);
  const done = await post(port, { units: ['a'] });
  assert.equal(done.status, 200, done.text);
  assert.deepEqual([done.json['asked'], done.json['failed']], [1, 0]);
  const [first, ...others] = done.json['checks'] as Check[];
  assert.deepEqual([first?.unit, first?.update['status']], ['a.service', 'up_to_date']);
  assert.equal(others.length, 0);
  const asked = registry.asked.length;
  const unknown = await askAdmin(port, `${URL}?status=unknown`);
  assert.deepEqual(
    (unknown.json['checks'] as Check[]).map(({ unit }) => unit),
    ['b.service'],
  );
  const one = await askAdmin(port, `${URL}?unit=a`);
  assert.equal((one.json['checks'] as Check[]).length, 1);
  assert.equal(registry.asked.length, asked, 'what is stored is told without asking');
  const all = await post(port, { all: true });
  assert.equal((all.json['checks'] as Check[]).length, 2);
});

test('those who ask at the same time share one check', async (t) => {
  const { port, registry } = await serveChecks(t);
  const asking = Array.from({ length: 8 }, () => post(port, { all: true }));
  const done = await Promise.all(asking);
  assert.ok(done.every(({ status }) => status === 200));
  const heads = registry.asked.filter((one) => one.startsWith('HEAD '));
  assert.ok(heads.length <= 2, `${heads.length} questions for one tag`);
});

test('an empty selection is refused, and so is what is not known', async (t) => {
  const { port, registry } = await serveChecks(t);
  for (const [body, code, names] of [
    [{}, 'REQUEST_INVALID', /units/],
    [{ units: [] }, 'REQUEST_INVALID', /units/],
    [{ units: ['a'], all: true }, 'REQUEST_INVALID', /units/],
    [{ all: false }, 'REQUEST_INVALID', /all/],
    [{ units: 'a' }, 'REQUEST_INVALID', /units/],
    [{ all: true, force: 1 }, 'REQUEST_INVALID', /force/],
    [{ units: ['sshd'] }, 'UNIT_NOT_CONFIGURED', /sshd/],
  ] as const) {
    const answer = await post(port, body);
    assert.equal(answer.json['code'], code, answer.text);
    assert.match(String(answer.json['detail']), names);
  }
  for (const query of ['?status=new', '?units=a']) {
    assert.equal((await askAdmin(port, URL + query)).json['code'], 'REQUEST_INVALID');
  }
  assert.deepEqual(registry.asked, []);
});
