import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createHookBody } from '../../../app/api/hook-requests.ts';
import { HookBook } from '../../../app/hooks/hook-book.ts';
import { keepHooks, readKeptHooks } from '../../../app/hooks/keep-hooks.ts';
import { HookAdmin } from '../../../app/hooks/manage-hooks.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

function open(context: TestContext) {
  const folder = makeTempFolder(context);
  const { store } = openTestStore(context, folder);
  const path = join(folder, 'hooks.json');
  const key = join(folder, 'hook.key');
  const join_ = () => {
    const book = new HookBook();
    const hooks = new HookAdmin({
      ...{ store, book, baseUrl: undefined, key: { path: key } },
      keep: (entries) => keepHooks(path, entries),
      readKept: () => readKeptHooks(path),
    });
    hooks.reload();
    return { book, hooks };
  };
  const { book, hooks } = join_();
  const create = (wish: Readonly<Record<string, unknown>>) => {
    const made = hooks.create(createHookBody.parse(wish), 'admin');
    assert.ok(made.ok, JSON.stringify(made));
    return made.value;
  };
  return { folder, store, path, key, book, hooks, create, again: join_ };
}

describe('a hook that is made', () => {
  test('has the best that its sender can do, and lets everything in unless told', (t) => {
    const { create } = open(t);
    const { hook, secret } = create({ name: 'forge', source: 'gitea' });
    assert.equal(hook.scheme, 'hmac-sha256');
    assert.deepEqual([hook.images, hook.units, hook.networks], [[], [], []]);
    assert.deepEqual([hook.state, hook.created_by, hook.last_used_at], ['ready', 'admin', null]);
    assert.match(secret.text, /^puh_[A-Za-z0-9_-]{43}$/);
    assert.deepEqual([secret.path, secret.url, secret.header], ['/hooks/forge', null, null]);
  });

  test('tells where its secret belongs', (t) => {
    const { create } = open(t);
    const registry = 'git.example';
    const hub = create({ name: 'hub', source: 'docker-hub' }).secret;
    assert.equal(hub.path, `/hooks/hub/${hub.text}`);
    const reg = create({ name: 'reg', source: 'distribution', registry }).secret;
    assert.equal(reg.header, `Authorization: Bearer ${reg.text}`);
    const lab = create({ name: 'lab', source: 'gitlab', scheme: 'shared-token' }).secret;
    assert.equal(lab.header, `x-gitlab-token: ${lab.text}`);
    const ci = create({ name: 'ci', source: 'generic' }).secret;
    assert.equal(Buffer.from(ci.text.replace('whsec_', ''), 'base64').length, 32);
  });

  const FAULTY: readonly Readonly<Record<string, unknown>>[] = [
    { name: 'a', source: 'docker-hub', scheme: 'hmac-sha256' },
    { name: 'a', source: 'jfrog' },
    { name: 'a', source: 'github', registry: 'ghcr.io' },
    { name: 'a', source: 'gitea', image: 'ghcr.io/o/web' },
  ];
  for (const wish of FAULTY) {
    test(`is refused as ${JSON.stringify(wish)}`, (t) => {
      const made = open(t).hooks.create(createHookBody.parse(wish), 'admin');
      assert.ok(!made.ok);
      assert.equal(made.failure.code, 'HOOK_INVALID');
    });
  }

  const UNREADABLE: readonly Readonly<Record<string, unknown>>[] = [
    ...['', 'A', 'a_b', '-a', 'a-', 'a'.repeat(64), 'a/b'].map((name) => ({
      name,
      source: 'gitea',
    })),
    { name: 'a', source: 'none' },
    { name: 'a', source: 'gitea', networks: ['10.0.0.0/33'] },
    { name: 'a', source: 'gitea', networks: ['host'] },
    { name: 'a', source: 'gitea', images: ['web'] },
    { name: 'a', source: 'gitea', units: ['a b'] },
    { name: 'a', source: 'gitea', registry: 'https://git.example' },
    { name: 'a', source: 'gitlab', image: 'web' },
    { name: 'a', source: 'gitlab', image: `ghcr.io/o/web@sha256:${'0'.repeat(64)}` },
    { name: 'a', source: 'gitea', expires_at: 'tomorrow' },
    { name: 'a', source: 'gitea', other: 1 },
  ];
  for (const wish of UNREADABLE) {
    test(`cannot be ${JSON.stringify(wish).slice(0, 90)}`, () => {
      assert.equal(createHookBody.safeParse(wish).success, false);
    });
  }

  test('takes a name once', (t) => {
    const { create, hooks } = open(t);
    create({ name: 'forge', source: 'gitea' });
    const again = hooks.create(createHookBody.parse({ name: 'forge', source: 'github' }), 'x');
    assert.ok(!again.ok && again.failure.code === 'HOOK_EXISTS');
  });
});

describe('after a restart', () => {
  test('the hooks are as they were, and open with the secrets that they had', (t) => {
    const { create, again, hooks } = open(t);
    create({ name: 'forge', source: 'gitea', images: ['git.example/**'] });
    create({ name: 'reg', source: 'distribution', registry: 'git.example' });
    const before = hooks.list();
    const { book, hooks: later } = again();
    assert.deepEqual(later.list(), before);
    assert.ok(later.list().every(({ state }) => state === 'ready'));
    assert.equal(book.find('forge')?.secrets.length, 1);
  });

  test('without the key those that sign let nobody in, and say so; the key put back opens them again', (t) => {
    const { create, again, key } = open(t);
    create({ name: 'forge', source: 'gitea' });
    create({ name: 'reg', source: 'distribution', registry: 'git.example' });
    renameSync(key, `${key}.away`);
    const { book, hooks } = again();
    const states = () => hooks.list().map(({ name, state }) => [name, state]);
    assert.deepEqual(states(), [
      ['forge', 'key-missing'],
      ['reg', 'ready'],
    ]);
    assert.equal(book.find('forge')?.isLocked, true);
    assert.deepEqual(
      hooks.listLocked().map(({ name }) => name),
      ['forge'],
    );
    renameSync(`${key}.away`, key);
    assert.deepEqual(hooks.listLocked(), []);
    assert.deepEqual(states()[0], ['forge', 'ready']);
  });

  test('with another key they are shut as well, until the secret is rotated', (t) => {
    const { create, again, key } = open(t);
    create({ name: 'forge', source: 'gitea' });
    writeFileSync(key, 'ff'.repeat(32));
    const { book, hooks } = again();
    assert.equal(hooks.list()[0]?.state, 'key-missing');
    const rotated = hooks.rotate('forge', true, 'admin');
    assert.ok(rotated.ok && rotated.value.hook.state === 'ready');
    assert.deepEqual(
      rotated.value.hook.secrets.map(({ opens }) => opens),
      [true, false],
    );
    assert.equal(book.find('forge')?.isLocked, false);
  });

  test('a key that is none is left as it is, and no secret is made with another', (t) => {
    const { key, hooks } = open(t);
    writeFileSync(key, 'nothing of use');
    const made = hooks.create(createHookBody.parse({ name: 'ci', source: 'generic' }), 'admin');
    assert.ok(!made.ok && made.failure.code === 'HOOK_KEY_UNUSABLE');
    assert.deepEqual(hooks.list(), []);
  });
});

describe('a change', () => {
  test('is what the standby goes by, from then on', (t) => {
    const { create, hooks, path } = open(t);
    create({ name: 'forge', source: 'gitea', images: ['git.example/**'] });
    const kept = () => readKeptHooks(path) ?? [];
    assert.deepEqual(
      kept().map(({ name, images }) => [name, images]),
      [['forge', ['git.example/**']]],
    );
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(hooks.setDisabled('forge', true, 'admin').ok);
    assert.notEqual(kept()[0]?.disabledAt, null);
    const former = kept()[0]?.secrets[0]?.id;
    assert.ok(hooks.rotate('forge', false, 'admin').ok);
    assert.notEqual(kept()[0]?.secrets[0]?.id, former);
    assert.ok(hooks.remove('forge', 'x').ok);
    assert.deepEqual(kept(), []);
  });

  test('is known without the database, too, where nothing was known yet', (t) => {
    const { create, store, path, key, again } = open(t);
    const { secret } = create({ name: 'forge', source: 'gitea' });
    store.close();
    const { book, hooks } = again();
    assert.deepEqual(
      book.find('forge')?.secrets.map(({ id }) => id),
      [secret.id],
    );
    // What is known stays: what is written down may be older.
    keepHooks(path, []);
    rmSync(key);
    hooks.reload();
    assert.equal(book.find('forge')?.isLocked, false);
  });

  test('of a later version is listed by what is known of it, and opens nothing', (t) => {
    const { create, store, again } = open(t);
    create({ name: 'forge', source: 'gitea' });
    const { list } = store.storedHooks;
    const source = 'carrier-pigeon' as 'gitea';
    t.mock.method(store.storedHooks, 'list', () => list().map((hook) => ({ ...hook, source })));
    const { book, hooks } = again();
    assert.equal(book.find('forge'), undefined);
    assert.deepEqual(
      hooks.list().map(({ title, state }) => [title, state]),
      [[source, 'key-missing']],
    );
  });

  test('that cannot be written for the standby is none', (t) => {
    const { create, store, hooks, folder } = open(t);
    create({ name: 'forge', source: 'gitea' });
    const broken = new HookAdmin({
      ...{
        store,
        book: new HookBook(),
        baseUrl: undefined,
        key: { path: join(folder, 'hook.key') },
      },
      keep: (entries) => keepHooks(join(folder, 'none', 'hooks.json'), entries),
      readKept: () => undefined,
    });
    const changed = broken.setDisabled('forge', true, 'admin');
    assert.ok(!changed.ok && changed.failure.code === 'HOOK_NOT_KEPT');
    const found = hooks.find('forge');
    assert.ok(found.ok && found.value.state === 'ready');
  });

  test('names who did it, and changes only what it names', (t) => {
    const { create, hooks } = open(t);
    create({ name: 'lab', source: 'gitlab', image: 'ghcr.io/o/web', units: ['web'] });
    const changed = hooks.update('lab', { networks: ['10.0.0.0/8'] }, 'token:ci at ::1');
    assert.ok(changed.ok);
    const { networks, units, image, updated_by } = changed.value;
    assert.deepEqual(
      [networks, units, image, updated_by],
      [['10.0.0.0/8'], ['web.service'], 'ghcr.io/o/web:latest', 'token:ci at ::1'],
    );
    const cleared = hooks.update('lab', { image: null, networks: [] }, 'admin');
    assert.ok(cleared.ok && cleared.value.image === null && cleared.value.networks.length === 0);
  });

  test('of one that there is not is refused', (t) => {
    const { hooks } = open(t);
    for (const refused of [
      hooks.find('none'),
      hooks.update('none', {}, 'x'),
      hooks.setDisabled('none', true, 'x'),
      hooks.rotate('none', true, 'x'),
      hooks.removeSecret('none', 'sec_1', 'x'),
      hooks.remove('none', 'x'),
    ]) {
      assert.ok(!refused.ok && refused.failure.code === 'HOOK_NOT_FOUND');
    }
  });

  test('that takes the last secret away leaves a hook that nothing opens', (t) => {
    const { create, hooks } = open(t);
    const { secret } = create({ name: 'forge', source: 'gitea' });
    const left = hooks.removeSecret('forge', secret.id, 'admin');
    assert.ok(left.ok && left.value.state === 'without-secret');
    assert.deepEqual(hooks.listLocked(), []);
  });
});

test('at most two secrets are live, the newest ones', (t) => {
  const { create, hooks } = open(t);
  const { secret } = create({ name: 'forge', source: 'gitea' });
  const second = hooks.rotate('forge', true, 'admin');
  const third = hooks.rotate('forge', true, 'admin');
  assert.ok(second.ok && third.ok);
  const ids = third.value.hook.secrets.map(({ id }) => id);
  assert.deepEqual(ids, [third.value.secret.id, second.value.secret.id]);
  assert.ok(!ids.includes(secret.id));
});

test('no file of the state has a secret: neither the database nor what the standby reads', (t) => {
  const { create, hooks, folder, store, key } = open(t);
  const texts = [
    create({ name: 'ci', source: 'generic' }).secret.text,
    create({ name: 'forge', source: 'github' }).secret.text,
    create({ name: 'hub', source: 'docker-hub' }).secret.text,
    create({ name: 'lab', source: 'gitlab', scheme: 'shared-token' }).secret.text,
  ];
  const rotated = hooks.rotate('ci', true, 'admin');
  assert.ok(rotated.ok);
  texts.push(rotated.value.secret.text);
  store.copyInto(join(folder, 'backup.db'));
  const keyText = readFileSync(key, 'utf8').trim();
  rmSync(key);
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  assert.ok(all.length >= 3);
  for (const text of texts) {
    const bare = text.replace(/^(?:whsec|puh)_/, '');
    for (const form of [Buffer.from(bare), Buffer.from(bare, 'base64')]) {
      assert.ok(
        all.every((bytes) => !bytes.includes(form)),
        text,
      );
    }
  }
  for (const form of [Buffer.from(keyText), Buffer.from(keyText, 'hex')]) {
    assert.ok(all.every((bytes) => !bytes.includes(form)));
  }
});
