import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { AccessBook } from '../../../app/access/access-book.ts';
import { digestToken } from '../../../app/access/secrets.ts';
import type { Store } from '../../../app/db/store.ts';
import { ADMIN_ACCESS } from '../../../app/domain/access.ts';
import { createAdminGate } from '../../../app/http/admin-gate.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2030-01-01T00:00:00Z');
const FIXED = { name: 'PODUP_TOKEN', secret: 'zgeheim-token', access: ADMIN_ACCESS };

function open(store: Store, secret = FIXED.secret) {
  const warned: unknown[] = [];
  const book = new AccessBook({
    ...{ store, tokens: [{ ...FIXED, secret }] },
    times: { idleMs: 2 * HOUR, maxMs: 10 * HOUR },
    log: { warn: (...said: unknown[]) => void warned.push(said) },
  });
  book.reload();
  return { book, warned };
}

/** A book over a real database, at a time that only the test moves. */
function start(context: TestContext) {
  context.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: START });
  const folder = makeTempFolder(context);
  const { store, path } = openTestStore(context, folder);
  const pass = (ms: number) => context.mock.timers.tick(ms);
  return { folder, store, path, pass, ...open(store) };
}

function make(book: AccessBook, name: string, expiresAt: number | null = null) {
  const made = book.tokens.create({ name, scopes: ['read'], expiresAt, by: 'ann' });
  assert.ok(made.ok, JSON.stringify(made));
  return made.value;
}

const codeOf = (found: { ok: boolean; failure?: { code: string } } | undefined) =>
  found === undefined ? undefined : found.ok ? 'good' : found.failure?.code;

describe('a token', () => {
  test('is 256 random bits, told once, and nowhere on the disk', (t) => {
    const { book, folder, store } = start(t);
    const { token, row } = make(book, 'ci');
    assert.match(token, /^podup_[\w-]{43}$/);
    assert.notEqual(token, make(book, 'other').token);
    store.transact(() => undefined);
    const files = readdirSync(join(folder, 'data')).map((name) =>
      readFileSync(join(folder, 'data', name), 'latin1'),
    );
    assert.ok(files.join('').includes(row.digest));
    assert.ok(!files.join('').includes(token.slice('podup_'.length)));
  });

  test('admits by what it is, and nothing that is like it', (t) => {
    const { book } = start(t);
    const { token } = make(book, 'ci');
    const found = book.findToken(token, '::1');
    assert.ok(found?.ok);
    assert.deepEqual(
      [found.value.name, found.value.by, found.value.access.read],
      ['token:ci', 'token', true],
    );
    for (const other of [`${token}x`, token.slice(0, -1), token.toUpperCase(), '', 'podup_']) {
      assert.equal(book.findToken(other, '::1'), undefined);
    }
  });

  test('ends at its time, to the millisecond, and says so', (t) => {
    const { book, pass } = start(t);
    const { token } = make(book, 'ci', START + HOUR);
    const found = book.findToken(token, null);
    pass(HOUR - 1);
    assert.equal(codeOf(book.findToken(token, null)), 'good');
    assert.ok(found?.ok && found.value.isGood());
    pass(1);
    assert.equal(codeOf(book.findToken(token, null)), 'TOKEN_EXPIRED');
    assert.equal(found.value.isGood(), false);
  });

  test('ends when it is revoked, and its holder is told; another may then have its name', (t) => {
    const { book } = start(t);
    const { token } = make(book, 'ci');
    const found = book.findToken(token, null);
    assert.equal(
      codeOf(book.tokens.create({ name: 'ci', scopes: ['read'], expiresAt: null, by: 'x' })),
      'TOKEN_NAME_TAKEN',
    );
    assert.ok(book.tokens.revoke('ci', 'bob').ok);
    assert.equal(codeOf(book.findToken(token, null)), 'TOKEN_REVOKED');
    assert.ok(found?.ok && !found.value.isGood());
    assert.equal(codeOf(book.tokens.revoke('ci', 'bob')), 'TOKEN_NOT_FOUND');
    const again = make(book, 'ci');
    assert.equal(codeOf(book.findToken(again.token, null)), 'good');
    assert.equal(codeOf(book.findToken(token, null)), 'TOKEN_REVOKED');
  });

  test('that is over may be made anew under its name', (t) => {
    const { book, pass } = start(t);
    const { token } = make(book, 'ci', START + 1);
    pass(2);
    make(book, 'ci');
    assert.equal(codeOf(book.findToken(token, null)), 'TOKEN_REVOKED');
  });

  test('is known to another process by the database, and after a start', (t) => {
    const { book, store } = start(t);
    const other = open(store).book;
    let changes = 0;
    other.onChange(() => changes++);
    const { token } = make(book, 'ci');
    assert.equal(other.findToken(token, null), undefined);
    other.refresh();
    assert.equal(codeOf(other.findToken(token, null)), 'good');
    // Whose use is no change.
    other.refresh();
    assert.equal(changes, 1);
    book.tokens.revoke('ci', 'bob');
    other.refresh();
    assert.deepEqual([codeOf(other.findToken(token, null)), changes], ['TOKEN_REVOKED', 2]);
  });

  test('of which nobody can read what it may allows nothing, and keeps no other from ending', (t) => {
    const { book, store } = start(t);
    const { token } = make(book, 'ci');
    for (const [id, scopes] of Object.entries({ a: '["admin"', b: '{}', c: '[7, "read"]' }))
      store.accessTokens.add({
        ...{ id, name: id, digest: digestToken(id), scopes, created_at: 1, created_by: 'x' },
        expires_at: null,
      });
    assert.ok(book.tokens.revoke('ci', 'ann').ok);
    assert.equal(codeOf(book.findToken(token, null)), 'TOKEN_REVOKED');
    const accessOf = (given: string) => {
      const found = book.findToken(given, null);
      return found?.ok && found.value.access;
    };
    const nothing = { read: false, deploy: [], admin: false };
    assert.deepEqual(['a', 'b', 'c'].map(accessOf), [nothing, nothing, { ...nothing, read: true }]);
  });

  test('stays known while the database cannot be read', (t) => {
    const { book, store } = start(t);
    const { token } = make(book, 'ci');
    store.close();
    book.reload();
    book.refresh();
    assert.equal(codeOf(book.findToken(token, null)), 'good');
  });

  test('notes its last use once a minute at most, and tells the very last', (t) => {
    const { book, store, pass } = start(t);
    const { token } = make(book, 'ci');
    let writes = 0;
    const { noteUses } = store.accessTokens;
    t.mock.method(store.accessTokens, 'noteUses', (uses: Parameters<typeof noteUses>[0]) => {
      writes++;
      noteUses(uses);
    });
    for (let second = 0; second < 120; second++) {
      book.findToken(token, '192.0.2.7');
      pass(1_000);
    }
    assert.ok(writes >= 2 && writes <= 3, String(writes));
    assert.deepEqual(
      book.tokens.list().map(({ used_at, used_from }) => [used_at, used_from]),
      [[START + 119_000, '192.0.2.7']],
    );
    book.close();
    const [row] = store.accessTokens.list();
    assert.ok((row?.used_at ?? 0) >= START + 60_000);
  });

  test('cannot be one of too many', (t) => {
    const { book } = start(t);
    for (let n = 0; n < 200; n++) make(book, `t${n}`);
    assert.equal(
      codeOf(book.tokens.create({ name: 'more', scopes: ['read'], expiresAt: null, by: 'x' })),
      'TOO_MANY_TOKENS',
    );
    book.tokens.revoke('t7', 'x');
    make(book, 'more');
  });
});

describe('a session', () => {
  test('has the access of its token and its own name', (t) => {
    const { book } = start(t);
    const { row } = make(book, 'ci');
    const found = book.findSession(book.sessions.begin(row.id));
    assert.ok(found.ok);
    const { name, by, isAmbient, access } = found.value;
    assert.deepEqual(
      [name, by, isAmbient, access.read, access.admin],
      ['session:ci', 'session', true, true, false],
    );
    const own = book.findSession(book.sessions.begin('PODUP_TOKEN'));
    assert.ok(own.ok && own.value.access.admin && own.value.name === 'session:PODUP_TOKEN');
  });

  test('ends when nobody used it for long enough', (t) => {
    const { book, pass } = start(t);
    const secret = book.sessions.begin('PODUP_TOKEN');
    pass(2 * HOUR - 1);
    assert.equal(codeOf(book.findSession(secret)), 'good');
    pass(2 * HOUR - 1);
    const found = book.findSession(secret);
    assert.equal(codeOf(found), 'good');
    pass(2 * HOUR);
    assert.equal(codeOf(book.findSession(secret)), 'SESSION_ENDED');
    assert.ok(found.ok && !found.value.isGood());
  });

  test('ends at last, however much it is used', (t) => {
    const { book, pass } = start(t);
    const secret = book.sessions.begin('PODUP_TOKEN');
    for (let hour = 1; hour < 10; hour++) {
      pass(HOUR);
      const found = book.findSession(secret);
      assert.ok(found.ok && found.value.endsAt === START + 10 * HOUR);
    }
    pass(HOUR);
    assert.equal(codeOf(book.findSession(secret)), 'SESSION_ENDED');
  });

  test('lives on in the next process, with its last use', (t) => {
    const { book, store, pass } = start(t);
    const secret = book.sessions.begin('PODUP_TOKEN');
    pass(HOUR);
    book.findSession(secret);
    book.close();
    pass(HOUR + 1);
    assert.equal(codeOf(open(store).book.findSession(secret)), 'good');
  });

  test('ends with its token: revoked, over, or changed in the settings', (t) => {
    const { book, store, pass } = start(t);
    const revoked = book.sessions.begin(make(book, 'a').row.id);
    const over = book.sessions.begin(make(book, 'b', START + MINUTE).row.id);
    const changed = book.sessions.begin('PODUP_TOKEN');
    book.tokens.revoke('a', 'x');
    assert.equal(codeOf(book.findSession(revoked)), 'SESSION_ENDED');
    assert.equal(codeOf(book.findSession(over)), 'good');
    pass(MINUTE);
    assert.equal(codeOf(book.findSession(over)), 'SESSION_ENDED');
    assert.equal(codeOf(book.findSession(changed)), 'good');
    assert.equal(codeOf(open(store, 'zgeheim-another').book.findSession(changed)), 'SESSION_ENDED');
  });

  test('has another cookie after a while; the former one is good for what is on its way', (t) => {
    const { book, pass } = start(t);
    const first = book.sessions.begin('PODUP_TOKEN');
    const found = book.findSession(first);
    assert.ok(found.ok && found.value.id);
    const { id } = found.value;
    pass(15 * MINUTE - 1);
    assert.equal(book.sessions.rotate(id, first), undefined);
    pass(1);
    const second = book.sessions.rotate(id, first);
    assert.ok(second && second !== first);
    // Who comes with the former one gets no third.
    assert.equal(book.sessions.rotate(id, first), undefined);
    assert.deepEqual(
      [codeOf(book.findSession(first)), codeOf(book.findSession(second))],
      ['good', 'good'],
    );
    pass(10_000);
    assert.deepEqual(
      [codeOf(book.findSession(first)), codeOf(book.findSession(second))],
      ['SESSION_ENDED', 'good'],
    );
    assert.ok(found.value.isGood(), 'what was opened with the former cookie stays open');
  });

  test('that was left is over at once, with what it has opened', (t) => {
    const { book, store } = start(t);
    const secret = book.sessions.begin('PODUP_TOKEN');
    const found = book.findSession(secret);
    assert.ok(found.ok && found.value.id);
    book.sessions.end(found.value.id);
    assert.equal(codeOf(book.findSession(secret)), 'SESSION_ENDED');
    assert.equal(found.value.isGood(), false);
    assert.equal(store.accessSessions.list().length, 0);
  });

  test('can begin and end while there is no database', (t) => {
    const { book, store, warned } = start(t);
    store.close();
    const secret = book.sessions.begin('PODUP_TOKEN');
    const found = book.findSession(secret);
    assert.ok(found.ok && found.value.id);
    assert.equal(warned.length, 1);
    book.sessions.end(found.value.id);
    assert.equal(codeOf(book.findSession(secret)), 'SESSION_ENDED');
  });

  test('that was left while it could not be written does not come back with the database', (t) => {
    const { book, store, warned } = start(t);
    const secret = book.sessions.begin('PODUP_TOKEN');
    const found = book.findSession(secret);
    assert.ok(found.ok && found.value.id);
    const broken = t.mock.method(store.accessSessions, 'remove', () => {
      throw new Error('the disk is full');
    });
    book.sessions.end(found.value.id);
    book.reload();
    assert.deepEqual([codeOf(book.findSession(secret)), warned.length], ['SESSION_ENDED', 1]);
    assert.equal(found.value.isGood(), false);
    broken.mock.restore();
    book.reload();
    assert.deepEqual(store.accessSessions.list(), []);
  });

  test('stands in the database so that nobody can use what stands there', (t) => {
    const { book, store } = start(t);
    const secret = book.sessions.begin('PODUP_TOKEN');
    const text = JSON.stringify(store.accessSessions.list());
    assert.ok(!text.includes(secret) && !text.includes(FIXED.secret));
    const [row] = store.accessSessions.list();
    assert.equal(codeOf(book.findSession(row?.digest ?? '')), 'SESSION_ENDED');
  });

  test('is one of a thousand at most: those that nobody uses go', (t) => {
    const { book, store, pass } = start(t);
    const first = book.sessions.begin('PODUP_TOKEN');
    for (let n = 0; n < 1_000; n++) {
      pass(1);
      book.sessions.begin('PODUP_TOKEN');
    }
    assert.equal(store.accessSessions.list().length, 1_000);
    assert.equal(codeOf(book.findSession(first)), 'SESSION_ENDED');
  });
});

test('without a database the token of the settings opens everything, and so does a session of it', (t) => {
  const { book, store } = start(t);
  store.close();
  book.reload();
  const gate = createAdminGate({ tokens: [FIXED], stored: book });
  const ask = (headers: Readonly<Record<string, string>>) => {
    const raw = new IncomingMessage(new Socket());
    Object.assign(raw.headers, headers);
    return gate({ raw, ip: '192.0.2.1' });
  };
  const admitted = ask({ authorization: `Bearer ${FIXED.secret}` });
  assert.ok(admitted.ok && admitted.value.access.admin);
  const cookie = `a=b; podup_session=${book.sessions.begin('PODUP_TOKEN')}`;
  const session = ask({ cookie });
  assert.ok(session.ok && session.value.name === 'session:PODUP_TOKEN');
});
