import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import { type AskProgram, backUp, putBack } from '../../../supervisor/acts/database-acts.ts';
import { runProgram, startProgram } from '../../app/cli/program.ts';
import { ask } from '../../app/http/http-fixture.ts';
import { credentialState } from '../../helpers/credentials.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** No program can be asked: the copy is made file by file. */
const SILENT: AskProgram = async () => ({ ok: false, detail: 'It cannot be started.' });

describe('after an update has put the copy of the database back', () => {
  for (const kind of ['copy', 'raw'] as const) {
    test(`(${kind}) the worker refuses what was revoked since the copy was made`, async (t) => {
      const stateDir = join(makeTempFolder(t), 'state');
      const { use } = credentialState(stateDir);
      const { database, backupsDir } = statePaths(stateDir);
      const environment = { PODUP_STATE_DIR: stateDir, PODUP_HTTP_ADDR: '127.0.0.1:0' };
      const asking: AskProgram = async (_file, args) => {
        const { stdout, stderr } = await runProgram(t, args, environment);
        return stdout === ''
          ? { ok: false, detail: stderr }
          : { ok: true, value: JSON.parse(stdout) };
      };
      const parts = {
        ...{ database, folder: join(backupsDir, 'upd_1'), files: realFiles, bulk: realBulkFiles },
        ...{ ask: kind === 'copy' ? asking : SILENT, clearOpeners: () => [] },
      };
      const made = use(({ makeToken, makeHook, book }) => ({
        ...{ bad: makeToken('bad'), good: makeToken('good'), secret: makeHook('forge') },
        cookie: book.sessions.begin('PODUP_TOKEN'),
      }));
      const backup = await backUp(parts, ['old']);
      assert.ok(backup.ok && backup.value.kind === kind, JSON.stringify(backup));
      // What the new version does, on trial or until somebody goes back on purpose.
      use(({ book, hooks }) => {
        assert.ok(book.tokens.revoke('bad', 'admin').ok);
        assert.ok(hooks.rotate('forge', false, 'admin').ok);
      });
      assert.ok((await putBack(parts, backup.value, 'old', 'failed')).ok);
      const { child, ended, logged } = startProgram(t, ['http-server'], environment);
      const port = Number(
        String((await logged('serving'))['address'])
          .split(':')
          .pop(),
      );
      const see = (token: string) =>
        ask(port, { path: '/api/hooks/forge', headers: { authorization: `Bearer ${token}` } });
      const bad = await see(made.bad);
      assert.deepEqual([bad.status, bad.json['code']], [401, 'TOKEN_REVOKED']);
      const good = await see(made.good);
      assert.deepEqual([good.status, good.json['secrets']], [200, []]);
      if (kind === 'copy') {
        use(({ session }) => assert.equal(session(made.cookie), 'SESSION_ENDED'));
      }
      child.kill('SIGTERM');
      assert.equal((await ended).code, 0);
    });
  }
});
