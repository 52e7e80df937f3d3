import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { ReleaseIdentity } from '../../../shared/contract/release.ts';
import type { DatabaseBackup, UpdateRecord } from '../../../shared/contract/update-record.ts';
import type { EffectOf } from '../../../supervisor/acts/perform-act.ts';
import { makeProgram } from '../../helpers/executable.ts';
import { until } from '../../helpers/until.ts';
import { BACKUP, NEW } from '../core/update/fixture.ts';
import { check, hashOf, inspect, makeHost, sha256, WELL } from './acts-fixture.ts';

type Host = ReturnType<typeof makeHost>;

const ORDER: EffectOf<'stage'>['order'] = {
  current: NEW,
  tag: null,
  dryRun: false,
  force: false,
  quarantine: [],
  generationFloor: null,
  retained: null,
};

const HANG = 'echo 1; exec sleep 600';

const failed = (code: string, detail: string) => ({
  kind: 'act-failed',
  failure: { code, detail },
});

/** Keeps a program as an update does that was committed before. */
function keep({ paths }: Host, txn: string, release: ReleaseIdentity, backup?: DatabaseBackup) {
  const folder = join(paths.backupsDir, txn);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'program'), release.version);
  writeFileSync(join(folder, 'program.json'), JSON.stringify(release));
  if (backup) writeFileSync(join(folder, 'backup.json'), JSON.stringify(backup));
  return join(folder, 'program');
}

/** The record with another database part. */
function withDatabase(host: Host, over: Partial<UpdateRecord['database']>): UpdateRecord {
  return { ...host.record, database: { ...host.record.database, ...over } };
}

/** Waits until a helper that does not end has the process that it is to hang in. */
function hung(what: string): Promise<unknown> {
  return until(what, 10_000, () => existsSync(what));
}

describe('identify', () => {
  test('names what runs by its content, and by what this process knows of itself', async (t) => {
    const host = makeHost(t);
    const from = {
      version: '1.0.0',
      digest: hashOf(host.program.target),
      generation: null,
      tag: null,
      commit: 'abc',
    };
    const event = await host.acts.identify({ kind: 'identify', version: null }, host.tools);
    assert.deepEqual(event, { kind: 'identified', from, retained: null });
  });

  test('knows more of what was committed last, as long as that is what runs', async (t) => {
    const known = { ...NEW, generation: 7 };
    for (const isSame of [true, false]) {
      const host: Host = makeHost(t, {
        lastGood: () => ({ ...known, ...(isSame && { digest: hashOf(host.program.target) }) }),
      });
      const event = await host.acts.identify({ kind: 'identify', version: null }, host.tools);
      assert.ok(event.kind === 'identified');
      assert.equal(event.from.generation, isSame ? 7 : null);
    }
  });

  test('finds a former version, with the database that it had', async (t) => {
    const host = makeHost(t);
    const file = keep(host, 'upd_0', NEW, BACKUP);
    const wanted = { kind: 'identify', version: NEW.version } as const;
    const event = await host.acts.identify(wanted, host.tools);
    assert.ok(event.kind === 'identified');
    assert.deepEqual(event.retained, { file, release: NEW, backup: BACKUP });
  });
});

describe('stage', () => {
  test('hands the order over, tells how far it is, and ends with what the stager says', async (t) => {
    const host = makeHost(t);
    const order = join(dirname(host.program.target), 'order');
    const progress = { kind: 'progress', step: 'downloading', bytes: 1, total: 2 };
    makeProgram(host.program.target, {
      'stage-release': `cat > '${order}'
        echo '${JSON.stringify(progress)}'
        echo '${JSON.stringify({ kind: 'staged', release: NEW })}'`,
    });
    const event = await host.acts.stage({ kind: 'stage', order: ORDER }, host.tools);
    assert.deepEqual(event, { kind: 'staged', release: NEW });
    const { kind: _kind, ...told } = progress;
    assert.deepEqual(host.posted, [{ kind: 'staging-progress', ...told }]);
    const expected = { ...ORDER, target: host.program.target };
    assert.deepEqual(JSON.parse(readFileSync(order, 'utf8')), expected);
  });

  test('names the file of a former version that is kept', async (t) => {
    const host = makeHost(t);
    const kept = keep(host, 'upd_0', NEW);
    makeProgram(host.program.target, {
      'stage-release': `grep -q '"file":"${kept}"' && echo '${JSON.stringify({ kind: 'current', release: NEW })}'`,
    });
    const order = { ...ORDER, retained: { file: '', release: NEW } };
    const event = await host.acts.stage({ kind: 'stage', order }, host.tools);
    assert.deepEqual(event, { kind: 'current', release: NEW });
  });

  const FAILURE = { code: 'RELEASE_NOT_FOUND', detail: 'v9' };
  const ENDS = [
    [
      'a reason is passed on',
      `echo '${JSON.stringify({ kind: 'failed', failure: FAILURE })}'`,
      { kind: 'staging-failed', failure: FAILURE },
    ],
    [
      'progress alone is no result',
      `echo '{"kind":"progress","step":"choosing","bytes":0,"total":null}'`,
      failed('UPDATE_STAGING_FAILED', 'It ended without a result.'),
    ],
    [
      'a crash is none either',
      'echo oops >&2; exit 3',
      failed('UPDATE_STAGING_FAILED', 'stage-release ended with 3: oops.'),
    ],
  ] as const;
  for (const [title, script, expected] of ENDS) {
    test(title, async (t) => {
      const host = makeHost(t);
      makeProgram(host.program.target, { 'stage-release': script });
      const event = await host.acts.stage({ kind: 'stage', order: ORDER }, host.tools);
      assert.deepEqual(event, expected);
    });
  }

  test('is done by the program before, where none can be run at the target', async (t) => {
    const host = makeHost(t);
    renameSync(host.program.target, host.program.old);
    makeProgram(host.program.old, {
      'stage-release': `echo '${JSON.stringify({ kind: 'current', release: NEW })}'`,
    });
    const event = await host.acts.stage({ kind: 'stage', order: ORDER }, host.tools);
    assert.equal(event.kind, 'current');
  });
});

describe('the other acts', () => {
  test('inspect-staged asks the staged program', async (t) => {
    const host = makeHost(t);
    makeProgram(host.program.staged, {
      'db-inspect': inspect({ compatible: false, detail: 'too new' }),
    });
    const event = await host.acts['inspect-staged']({ kind: 'inspect-staged' }, host.tools);
    assert.deepEqual(event, { kind: 'inspected', compatible: false, detail: 'too new' });
  });

  test('back-up keeps the program and its database in the folder of the update', async (t) => {
    const host = makeHost(t);
    const event = await host.acts['back-up']({ kind: 'back-up', record: host.record }, host.tools);
    const file = join(host.paths.backupsDir, host.record.txn, 'database.db');
    const sum = sha256('copied\n');
    const backup = { kind: 'copy', file, sha256: sum, bytes: 7, schema: 3 } as const;
    assert.deepEqual(event, { kind: 'backed-up', backup });
    const wanted = { kind: 'identify', version: '1.0.0' } as const;
    const found = await host.acts.identify(wanted, host.tools);
    assert.deepEqual(found.kind === 'identified' && found.retained, {
      file: join(dirname(file), 'program'),
      release: host.record.from,
      backup,
    });
  });

  test('switch-program and restore-program exchange the program there and back', async (t) => {
    const host = makeHost(t);
    makeProgram(host.program.staged, { version: 'echo new' });
    const to = { ...NEW, digest: hashOf(host.program.staged) };
    const record = { ...host.record, to };
    const there = await host.acts['switch-program']({ kind: 'switch-program', record }, host.tools);
    assert.deepEqual(there, { kind: 'switched' });
    assert.equal(hashOf(host.program.target), to.digest);
    const back = { kind: 'restore-program', record } as const;
    assert.deepEqual(await host.acts['restore-program'](back, host.tools), {
      kind: 'program-restored',
    });
    assert.equal(hashOf(host.program.target), record.from.digest);
  });

  test('an exchange that cannot be made is a failure, there and back', async (t) => {
    const host = makeHost(t);
    const { record, program } = host;
    const there = await host.acts['switch-program']({ kind: 'switch-program', record }, host.tools);
    const gone = `${program.staged} is not what was verified: it was changed or is gone.`;
    assert.deepEqual(there, failed('UPDATE_SWAP_FAILED', gone));
    makeProgram(program.target, { another: '' });
    const back = await host.acts['restore-program'](
      { kind: 'restore-program', record },
      host.tools,
    );
    assert.equal(back.kind === 'act-failed' && back.failure.code, 'UPDATE_ROLLBACK_FAILED');
  });

  test('restore-wanted puts the wanted database in place; where none is, that is no work', async (t) => {
    const host = makeHost(t);
    const { record, tools, acts } = host;
    const act = 'restore-wanted';
    assert.deepEqual(await acts[act]({ kind: act, record }, tools), { kind: 'wanted-restored' });
    const file = join(dirname(host.paths.database), 'kept.db');
    writeFileSync(file, 'kept');
    const wanted = { ...BACKUP, file, sha256: sha256('kept') };
    const restored = await acts[act]({ kind: act, record: withDatabase(host, { wanted }) }, tools);
    assert.deepEqual(restored, { kind: 'wanted-restored' });
    assert.equal(readFileSync(host.paths.database, 'utf8'), 'kept');
  });

  test('probe asks who serves the socket, wherever that is', async (t) => {
    const body = JSON.stringify({ version: '2.0.0' });
    const server = createServer((_request, response) => response.end(body));
    t.after(() => server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const host = makeHost(t, { socketFd: fd });
    const probe = { kind: 'probe', version: '2.0.0' } as const;
    assert.deepEqual(await host.acts.probe(probe, host.tools), { kind: 'probed', failure: null });
    const other = await host.acts.probe({ ...probe, version: '3.0.0' }, host.tools);
    assert.equal(other.kind === 'probed' && other.failure?.code, 'UPDATE_PROBE_FAILED');
    const nowhere = await makeHost(t).acts.probe(probe, host.tools);
    const detail = 'The address of the socket is not known.';
    const failure = { code: 'UPDATE_PROBE_FAILED', detail };
    assert.deepEqual(nowhere, { kind: 'probed', failure });
  });

  test('check has the new program expect its own digest', async (t) => {
    const host = makeHost(t);
    makeProgram(host.program.target, {
      'post-update-check': `[ "$2 $3" = '--expect ${NEW.digest}' ] && ${check({})}`,
    });
    const event = await host.acts.check({ kind: 'check', record: host.record }, host.tools);
    assert.deepEqual(event, { kind: 'checked', failure: null, warnings: [] });
  });

  test('execute leaves it to whoever ends all children first', async (t) => {
    const host = makeHost(t);
    assert.deepEqual(await host.acts.execute({ kind: 'execute' }, host.tools), {
      kind: 'hand-over-impossible',
      reason: 'told',
    });
  });

  test('settle-database leaves a database that fits, and says why none could be put back', async (t) => {
    const host = makeHost(t);
    const settle = { kind: 'settle-database', record: host.record } as const;
    assert.deepEqual(await host.acts['settle-database'](settle, host.tools), {
      kind: 'database-settled',
      restored: false,
    });
    makeProgram(host.program.target, { 'db-inspect': inspect({ sound: false }) });
    assert.deepEqual(
      await host.acts['settle-database'](settle, host.tools),
      failed('UPDATE_RESTORE_FAILED', 'There is no backup.'),
    );
  });

  for (const [said, found] of [
    ['echo true', true],
    ['echo false', false],
    ['echo \'"true"\'', false],
    ['echo true; exit 1', false],
  ] as const) {
    test(`look-for-release takes \`${said}\` for ${found}`, async (t) => {
      const host = makeHost(t);
      makeProgram(host.program.target, { 'self-update': `[ "$2" = look ] && { ${said}; }` });
      const look = { kind: 'look-for-release' } as const;
      const event = await host.acts['look-for-release'](look, host.tools);
      assert.deepEqual(event, { kind: 'looked', found });
    });
  }
});

describe('an act that is cancelled', () => {
  test('puts no database back because it got no answer', async (t) => {
    const host = makeHost(t);
    const mark = join(dirname(host.program.target), 'hung');
    makeProgram(host.program.target, { 'db-inspect': `: > '${mark}'; ${HANG}` });
    const file = join(dirname(host.paths.database), 'kept.db');
    writeFileSync(file, 'kept');
    const backup = { ...BACKUP, file, sha256: sha256('kept') };
    const record = withDatabase(host, { backup });
    const settle = { kind: 'settle-database', record } as const;
    const settled = assert.rejects(host.acts['settle-database'](settle, host.tools), {
      name: 'AbortError',
    });
    await hung(mark);
    host.control.abort();
    await settled;
    assert.equal(readFileSync(host.paths.database, 'utf8'), 'as it is');
  });

  test('ends no worker that was started meanwhile', async (t) => {
    const host = makeHost(t);
    const { target } = host.program;
    const mark = join(dirname(target), 'hung');
    makeProgram(target, {
      ...WELL,
      'db-backup': `: > '${mark}'; ${HANG}`,
      'http-server': 'exec 3< "$2"; echo up; read line',
    });
    const record = { ...host.record, from: { ...host.record.from, digest: hashOf(target) } };
    const backUp = host.acts['back-up']({ kind: 'back-up', record }, host.tools);
    const ended = assert.rejects(backUp, { name: 'AbortError' });
    await hung(mark);
    const worker = spawn(target, ['http-server', host.paths.database], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(worker.stdout, 'data');
    host.control.abort();
    await ended;
    worker.stdin.end();
    assert.deepEqual(await once(worker, 'exit'), [1, null]);
  });
});
