import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { openStore, type Store } from '../../../app/db/store.ts';
import { pruneState } from '../../../app/maintenance/prune-state.ts';
import { FailureError } from '../../../shared/contract/outcome.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { storedHook } from '../../helpers/stored-hook.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const DAY = 86_400_000;
const TOKEN = {
  ...{ id: 'tok_1', name: 'ops', digest: 'd1', scopes: '["admin"]' },
  ...{ created_at: 1, created_by: 'admin', expires_at: null },
};
const NOTED = '{"kind":"token","name":"tok_1","made":0,"at":5,"by":"admin"}\n';

function makeData(context: TestContext) {
  const folder = makeTempFolder(context);
  const file = join(folder, 'revocations.jsonl');
  const path = join(folder, 'x.db');
  const open = () => openStore(path, { version: '0', nowMs: 1 });
  const use = <T>(act: (store: Store) => T): T => {
    const opened = open();
    assert.ok(opened.ok, JSON.stringify(opened));
    try {
      return act(opened.value);
    } finally {
      opened.value.close();
    }
  };
  const isRevoked = () => use(({ accessTokens }) => accessTokens.list()[0]?.revoked_at ?? false);
  use(({ accessTokens }) => accessTokens.add(TOKEN));
  return { folder, file, path, open, use, isRevoked, read: () => readFileSync(file, 'utf8') };
}

describe('what was revoked', () => {
  test('is in the file once it is in the database, one line each, for its owner alone', (t) => {
    const { use, read, file } = makeData(t);
    use(({ accessTokens }) => {
      accessTokens.revoke('tok_1', 'admin', 5);
      accessTokens.revoke('tok_1', 'other', 6);
      accessTokens.revoke('none', 'other', 6);
      assert.equal(read(), NOTED);
      assert.equal(statSync(file).mode & 0o777, 0o600);
    });
  });

  test('keeps nobody waiting who opens the database while another writes', (t) => {
    const { use, path, isRevoked } = makeData(t);
    use(({ accessTokens }) => accessTokens.revoke('tok_1', 'admin', 5));
    const writer = new SqliteDatabase(path);
    t.after(() => writer.close());
    writer.exec('BEGIN IMMEDIATE');
    assert.equal(isRevoked(), 5);
  });

  test('is so although the power went between the file and the database', (t) => {
    const { use, isRevoked, read } = makeData(t);
    use(({ accessTokens, transact }) => {
      assert.throws(() =>
        transact(() => {
          accessTokens.revoke('tok_1', 'admin', 5);
          throw new Error('power');
        }),
      );
      assert.equal(accessTokens.list()[0]?.revoked_at, null);
    });
    assert.equal(read(), NOTED);
    assert.equal(isRevoked(), 5);
  });

  test('is not half so: where the file cannot be written nothing has changed', (t) => {
    const { use, file, isRevoked } = makeData(t);
    use(({ accessTokens }) => {
      // A folder in its place can be neither read nor written.
      mkdirSync(file);
      assert.throws(
        () => accessTokens.revoke('tok_1', 'admin', 5),
        (error) => error instanceof FailureError && error.failure.code === 'REVOCATION_NOT_KEPT',
      );
      assert.equal(accessTokens.list()[0]?.revoked_at, null);
      rmSync(file, { recursive: true });
    });
    assert.equal(isRevoked(), false);
  });

  test('is not written behind a line that was cut off', (t) => {
    const { use, file, read } = makeData(t);
    use(({ accessTokens }) => {
      appendFileSync(file, '{"kind":"tok');
      accessTokens.revoke('tok_1', 'admin', 5);
    });
    assert.equal(read(), NOTED);
    appendFileSync(file, '{"kind":"tok');
    use(({ settled }) => assert.deepEqual(settled, { applied: 0, unreadable: 0 }));
    assert.equal(read(), NOTED);
  });

  test('comes back into a file that was lost', (t) => {
    const { use, file, read } = makeData(t);
    use(({ accessTokens }) => accessTokens.revoke('tok_1', 'admin', 5));
    rmSync(file);
    use(() => assert.equal(read(), NOTED));
  });

  test('is in no database that is opened while the file cannot be read', (t) => {
    const { file, open, isRevoked } = makeData(t);
    mkdirSync(file);
    const opened = open();
    assert.ok(!opened.ok);
    assert.equal(opened.failure.code, 'REVOCATIONS_UNREADABLE');
    rmSync(file, { recursive: true });
    assert.equal(isRevoked(), false);
  });

  test('is revoked with the sessions that were begun with it', (t) => {
    const { use, file } = makeData(t);
    const session = { id: 'ses_1', digest: 'd', created_at: 1, rotated_at: 1, seen_at: 1 };
    use(({ accessSessions }) => {
      accessSessions.add({ ...session, token: 'tok_1' }, 0);
      accessSessions.add({ ...session, id: 'ses_2', digest: 'e', token: 'PODUP_TOKEN' }, 0);
    });
    writeFileSync(file, NOTED);
    use(({ settled, accessSessions }) => {
      assert.deepEqual(settled, { applied: 1, unreadable: 0 });
      assert.deepEqual(
        accessSessions.list().map(({ id }) => id),
        ['ses_2'],
      );
    });
  });

  test('is a hook and not its name: another one that has it by now stays', (t) => {
    const { use, file } = makeData(t);
    use(({ storedHooks }) => {
      storedHooks.insert(storedHook('forge'), { at: 8, by: 'admin' });
      storedHooks.insert(storedHook('ci'), { at: 8, by: 'admin' });
    });
    const line = (name: string, made: number) =>
      `${JSON.stringify({ kind: 'hook', name, made, at: 9, by: 'admin' })}\n`;
    writeFileSync(file, line('forge', 7) + line('ci', 8));
    use(({ storedHooks }) =>
      assert.deepEqual(
        storedHooks.list().map(({ name }) => name),
        ['forge'],
      ),
    );
  });

  test('costs nothing where all of it is known: nothing is written at an opening', (t) => {
    const { use, file } = makeData(t);
    use(({ accessTokens }) => accessTokens.revoke('tok_1', 'admin', 5));
    const then = statSync(file);
    use(({ settled }) => assert.deepEqual(settled, { applied: 0, unreadable: 0 }));
    assert.deepEqual([statSync(file).mtimeMs, statSync(file).ino], [then.mtimeMs, then.ino]);
  });

  test('is forgotten after two years, in both, and lines that say nothing any more go with it', async (t) => {
    const { use, file, read, folder } = makeData(t);
    const now = Date.now();
    const old = { kind: 'secret', name: 'sec_1', made: 0, at: now - 731 * DAY, by: 'x' } as const;
    use(({ revocations }) => {
      revocations.note(old);
      revocations.note({ ...old, name: 'sec_2', at: now - 729 * DAY });
      revocations.note({ ...old, kind: 'disabled', name: 'forge', made: 7 });
      revocations.noteEnabled({ name: 'forge', made: 7 });
    });
    appendFileSync(file, 'not one\n');
    const opened = openStore(join(folder, 'x.db'), { version: '0', nowMs: 1 });
    assert.ok(opened.ok && opened.value.settled.unreadable === 1);
    t.after(() => opened.value.close());
    const { removed } = await pruneState(
      { store: opened.value, paths: statePaths(folder) },
      {
        ...{ taskMaxAgeMs: DAY, deliveryMaxAgeMs: DAY, shortMaxAgeMs: DAY },
        events: { maxAgeMs: DAY, maxRows: 9 },
      },
      now,
      { pause: () => Promise.resolve(), signal: new AbortController().signal },
    );
    assert.equal(removed.revocations, 1);
    assert.deepEqual(read().match(/sec_\d/g), ['sec_2']);
    assert.equal(read().split('\n').length, 2);
    use(({ settled }) => assert.deepEqual(settled, { applied: 0, unreadable: 0 }));
  });

  test('does not grow without end: hooks that are disabled and enabled over and over leave no more than so many lines', (t) => {
    const { use, read } = makeData(t);
    use(({ revocations, transact }) => {
      transact(() => {
        for (let at = 1; at <= 600; at++) {
          revocations.note({ kind: 'disabled', name: 'forge', made: 7, at, by: 'x' });
          revocations.noteEnabled({ name: 'forge', made: 7 });
        }
      });
    });
    assert.ok(read().split('\n').length <= 1_002, String(read().split('\n').length));
  });
});
