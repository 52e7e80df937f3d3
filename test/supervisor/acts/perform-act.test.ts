import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ActKind, ActRunner, type Acts, isAct } from '../../../supervisor/acts/perform-act.ts';
import type { UpdateEvent } from '../../../supervisor/core/update/machine.ts';

const PROBE = { kind: 'probe', version: '2.0.0' } as const;

/** A runner that knows these acts only, and what it posts. */
function makeRunner(acts: Partial<Acts>) {
  const events: UpdateEvent[] = [];
  const { promise: first, resolve } = Promise.withResolvers<UpdateEvent>();
  const runner = new ActRunner(
    async () => acts as Acts,
    (event) => {
      events.push(event);
      resolve(event);
    },
  );
  return { runner, events, first };
}

/** An act whose end the test decides. */
function hold() {
  const { promise, resolve } = Promise.withResolvers<UpdateEvent>();
  return { act: () => promise, end: resolve };
}

const systemError = (code: string) => Object.assign(new Error(`${code}: no`), { code });

describe('isAct', () => {
  test('tells what takes time from what is done at once', () => {
    assert.equal(isAct({ kind: 'settle-database' }), true);
    assert.equal(isAct({ kind: 'persist' }), false);
    assert.equal(isAct({ kind: 'toString' }), false);
  });
});

describe('ActRunner', () => {
  test('posts what an act tells on its way, and how it ended', async () => {
    const { runner, events, first } = makeRunner({
      probe: async (_effect, { post }) => {
        post({ kind: 'looked', found: true });
        return { kind: 'probed', failure: null };
      },
    });
    runner.start(PROBE);
    await first;
    await new Promise(setImmediate);
    assert.deepEqual(events, [
      { kind: 'looked', found: true },
      { kind: 'probed', failure: null },
    ]);
  });

  test('what was cancelled says nothing any more, neither on its way nor at its end', async () => {
    const held = hold();
    let tell: ((event: UpdateEvent) => void) | undefined;
    let signal: AbortSignal | undefined;
    const { runner, events } = makeRunner({
      probe: (_effect, tools) => {
        tell = tools.post;
        signal = tools.signal;
        return held.act();
      },
    });
    runner.start(PROBE);
    await new Promise(setImmediate);
    runner.cancel();
    assert.equal(signal?.aborted, true);
    tell?.({ kind: 'looked', found: true });
    held.end({ kind: 'probed', failure: null });
    await new Promise(setImmediate);
    assert.deepEqual(events, []);
  });

  test('what was cancelled before it began does not begin', async () => {
    let isBegun = false;
    const { runner, events } = makeRunner({
      probe: async () => {
        isBegun = true;
        return { kind: 'probed', failure: null };
      },
    });
    runner.start(PROBE);
    runner.cancel();
    await new Promise(setImmediate);
    assert.equal(isBegun, false);
    assert.deepEqual(events, []);
  });

  test('where the acts cannot be loaded, that is the failure', async () => {
    const events: UpdateEvent[] = [];
    const load = () => Promise.reject(systemError('ERR_MODULE_NOT_FOUND'));
    new ActRunner(load, (event) => events.push(event)).start(PROBE);
    await new Promise(setImmediate);
    const detail = 'ERR_MODULE_NOT_FOUND: no';
    const failure = { code: 'UPDATE_PROBE_FAILED', detail };
    assert.deepEqual(events, [{ kind: 'act-failed', failure }]);
  });

  test('all that runs is cancelled, and what begins later is not', async () => {
    const [one, two, three] = [hold(), hold(), hold()];
    const { runner, events, first } = makeRunner({
      probe: one.act,
      check: two.act,
      execute: three.act,
    });
    runner.start(PROBE);
    runner.start({ kind: 'check' } as never);
    await new Promise(setImmediate);
    runner.cancel();
    runner.start({ kind: 'execute' });
    one.end({ kind: 'looked', found: true });
    two.end({ kind: 'looked', found: true });
    three.end({ kind: 'hand-over-impossible', reason: '' });
    await first;
    assert.deepEqual(events, [{ kind: 'hand-over-impossible', reason: '' }]);
  });

  for (const code of ['ENOSPC', 'EDQUOT']) {
    test(`${code} is told as a full disk, whatever was being done`, async () => {
      const { runner, first } = makeRunner({ probe: () => Promise.reject(systemError(code)) });
      runner.start(PROBE);
      assert.deepEqual(await first, {
        kind: 'act-failed',
        failure: { code: 'UPDATE_DISK_FULL', detail: `${code}: no` },
      });
    });
  }

  const CODES: Readonly<Record<ActKind, string>> = {
    identify: 'UPDATE_UNAVAILABLE',
    stage: 'UPDATE_STAGING_FAILED',
    'inspect-staged': 'UPDATE_STAGING_FAILED',
    'back-up': 'UPDATE_BACKUP_FAILED',
    'switch-program': 'UPDATE_SWAP_FAILED',
    'restore-wanted': 'UPDATE_RESTORE_FAILED',
    probe: 'UPDATE_PROBE_FAILED',
    check: 'UPDATE_CHECK_FAILED',
    execute: 'UPDATE_SUPERVISOR_FAILED',
    'restore-program': 'UPDATE_ROLLBACK_FAILED',
    'settle-database': 'UPDATE_RESTORE_FAILED',
    'look-for-release': 'RELEASE_SOURCE_UNREACHABLE',
  };
  for (const [kind, code] of Object.entries(CODES)) {
    test(`an error in ${kind} is told as ${code}`, async () => {
      const { runner, first } = makeRunner({ [kind]: () => Promise.reject(systemError('EIO')) });
      runner.start({ kind } as never);
      assert.deepEqual(await first, { kind: 'act-failed', failure: { code, detail: 'EIO: no' } });
    });
  }

  test('what is thrown at once, or is no error, is told too, and shortly', async () => {
    const { runner, first } = makeRunner({
      probe: () => {
        throw new Error('x'.repeat(5_000));
      },
    });
    runner.start(PROBE);
    const event = await first;
    assert.equal(event.kind === 'act-failed' && event.failure.detail.length, 500);
    // What a library throws may be anything.
    const other = makeRunner({ probe: () => Promise.reject('gone') });
    other.runner.start(PROBE);
    const failed = await other.first;
    assert.equal(failed.kind === 'act-failed' && failed.failure.detail, 'gone');
  });
});
