import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Backup } from '../../../app/backups/backup-folder.ts';
import { createBackup } from '../../../app/backups/create-backup.ts';
import { restoreBackup } from '../../../app/backups/restore-backup.ts';
import { credentialState } from '../../helpers/credentials.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

function makeState(context: TestContext) {
  const { paths, use } = credentialState(join(makeTempFolder(context), 'état 1'));
  return {
    ...{ paths, use, file: join(paths.dataDir, 'revocations.jsonl') },
    async back(): Promise<Backup> {
      const made = await createBackup({
        ...{ database: paths.database, folder: paths.databaseBackupsDir },
        ...{ keep: 9, version: '1.0.0', nowMs: Date.now() },
      });
      assert.ok(made.ok, JSON.stringify(made));
      return made.value;
    },
    async restore(backup: Backup) {
      const restored = await restoreBackup({
        ...{ backup, paths, version: '1.0.0', nowMs: Date.now() },
      });
      assert.ok(restored.ok, JSON.stringify(restored));
      const { revoked, unreadRevocations } = restored.value;
      return { revoked, unread: unreadRevocations };
    },
  };
}

/** Some credentials that are in a backup, which is restored after `act` has revoked some of them. */
async function restoreAfter(
  context: TestContext,
  act: (
    open: Parameters<Parameters<ReturnType<typeof credentialState>['use']>[0]>[0],
    made: Made,
  ) => void,
) {
  const state = makeState(context);
  const made = state.use(({ makeToken, makeHook }) => ({
    token: makeToken('ops'),
    other: makeToken('other'),
    secret: makeHook('forge'),
    kept: makeHook('kept'),
  }));
  const backup = await state.back();
  state.use((open) => act(open, made));
  return { ...state, made, backup, restored: await state.restore(backup) };
}

type Made = {
  readonly token: string;
  readonly other: string;
  readonly secret: string;
  readonly kept: string;
};

describe('after a backup is restored', () => {
  test('a token that was revoked since stays revoked, and the others are good', async (t) => {
    const { use, made, restored } = await restoreAfter(t, ({ book }) => {
      assert.ok(book.tokens.revoke('ops', 'admin').ok);
    });
    assert.deepEqual(restored, { revoked: 1, unread: 0 });
    use(({ token }) => {
      assert.deepEqual([token(made.token), token(made.other)], ['TOKEN_REVOKED', 'good']);
    });
  });

  test('a secret that was rotated away since stays away', async (t) => {
    const { use, made, restored } = await restoreAfter(t, ({ hooks }) => {
      assert.ok(hooks.rotate('forge', false, 'admin').ok);
    });
    assert.equal(restored.revoked, 1);
    use(({ opens }) => assert.deepEqual([opens('forge'), opens('kept')], [[], [made.kept]]));
  });

  test('a secret that was removed since stays away, and one that was not opens', async (t) => {
    const state = makeState(t);
    const first = state.use(({ makeHook }) => makeHook('forge'));
    const second = state.use(({ hooks }) => {
      const rotated = hooks.rotate('forge', true, 'admin');
      return rotated.ok ? rotated.value.secret.id : assert.fail();
    });
    const backup = await state.back();
    state.use(({ hooks }) => assert.ok(hooks.removeSecret('forge', first, 'admin').ok));
    await state.restore(backup);
    state.use(({ opens }) => assert.deepEqual(opens('forge'), [second]));
  });

  test('a hook that was removed since stays away', async (t) => {
    const { use, restored } = await restoreAfter(t, ({ hooks }) => {
      assert.ok(hooks.remove('forge', 'admin').ok);
    });
    assert.equal(restored.revoked, 1);
    use(({ opens, store }) => {
      assert.equal(opens('forge'), undefined);
      assert.deepEqual(
        store.storedHooks.list().map(({ name }) => name),
        ['kept'],
      );
    });
  });

  test('a hook that took the name of a removed one is as it was in the backup', async (t) => {
    const state = makeState(t);
    state.use(({ makeHook, hooks }) => {
      makeHook('forge');
      assert.ok(hooks.remove('forge', 'admin').ok);
    });
    const next = state.use(({ makeHook }) => makeHook('forge'));
    await state.restore(await state.back());
    state.use(({ opens }) => assert.deepEqual(opens('forge'), [next]));
  });

  test('a hook that was disabled since is disabled, but not one that was enabled again', async (t) => {
    const { use, restored } = await restoreAfter(t, ({ hooks }) => {
      assert.ok(hooks.setDisabled('forge', true, 'admin').ok);
      assert.ok(hooks.setDisabled('kept', true, 'admin').ok);
      assert.ok(hooks.setDisabled('kept', false, 'admin').ok);
    });
    assert.equal(restored.revoked, 1);
    use(({ isDisabled }) =>
      assert.deepEqual([isDisabled('forge'), isDisabled('kept')], [true, false]),
    );
  });

  test('nobody is signed in: neither who signed out since, nor who was in with a cookie of before', async (t) => {
    const state = makeState(t);
    const [gone, left] = state.use(({ book }) => [
      book.sessions.begin('PODUP_TOKEN'),
      book.sessions.begin('PODUP_TOKEN'),
    ]);
    state.use(({ session }) => assert.equal(session(left), 'good'));
    const backup = await state.back();
    state.use(({ book, session }) => {
      const found = book.findSession(gone);
      assert.ok(found.ok);
      book.sessions.end(found.value.id ?? '');
      assert.equal(session(left), 'good');
    });
    await state.restore(backup);
    state.use(({ session }) =>
      assert.deepEqual([session(gone), session(left)], ['SESSION_ENDED', 'SESSION_ENDED']),
    );
  });

  test('a credential that was made since is gone', async (t) => {
    let later = '';
    const { use } = await restoreAfter(t, ({ makeToken, makeHook }) => {
      later = makeToken('later');
      makeHook('later');
    });
    use(({ token, opens }) => {
      assert.equal(token(later), undefined);
      assert.equal(opens('later'), undefined);
    });
  });

  test('what was revoked before it was made is so without the file, too, and comes into it again', async (t) => {
    const { use, made, file, back, restore } = await restoreAfter(t, ({ book }) => {
      assert.ok(book.tokens.revoke('ops', 'admin').ok);
    });
    const early = await back();
    rmSync(file);
    use(() => undefined);
    use(({ hooks }) => assert.ok(hooks.remove('forge', 'admin').ok));
    await restore(early);
    use(({ token, opens }) => {
      assert.deepEqual([token(made.token), opens('forge')], ['TOKEN_REVOKED', undefined]);
    });
  });

  test('and a second one, which is older still, all of it holds', async (t) => {
    const state = makeState(t);
    const token = state.use(({ makeToken, makeHook }) => {
      makeHook('forge');
      return makeToken('ops');
    });
    const first = await state.back();
    state.use(({ book }) => assert.ok(book.tokens.revoke('ops', 'admin').ok));
    const second = await state.back();
    state.use(({ hooks }) => assert.ok(hooks.remove('forge', 'admin').ok));
    assert.equal((await state.restore(second)).revoked, 1);
    assert.equal((await state.restore(first)).revoked, 2);
    state.use((open) => {
      assert.deepEqual([open.token(token), open.opens('forge')], ['TOKEN_REVOKED', undefined]);
    });
  });

  test('it is said when a line of what was revoked cannot be read; one that was cut off was never answered', async (t) => {
    const state = makeState(t);
    const token = state.use(({ makeToken }) => makeToken('ops'));
    const backup = await state.back();
    state.use(({ book }) => assert.ok(book.tokens.revoke('ops', 'admin').ok));
    appendFileSync(state.file, 'not one\n{"kind":"tok');
    assert.deepEqual(await state.restore(backup), { revoked: 1, unread: 1 });
    state.use((open) => assert.equal(open.token(token), 'TOKEN_REVOKED'));
    writeFileSync(state.file, 'not one\n');
    assert.equal((await state.restore(backup)).unread, 1);
  });
});
