import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXIT } from '../../../../shared/contract/exit-codes.ts';
import { startFakeSupervisor } from '../../updates/fake-supervisor.ts';
import { makeState } from '../../updates/update-fixture.ts';
import { runUpdateCli } from './cli-fixture.ts';

describe('the commands that change something', () => {
  for (const [words, expected, said] of [
    [
      ['hold', '--reason', 'holidays'],
      { command: 'hold', reason: 'holidays' },
      'Updates are on hold; self-update resume ends the hold.\n',
    ],
    [['resume'], { command: 'resume' }, 'Updates are not on hold any more.\n'],
    [
      ['cancel', '--reason', 'oh'],
      { command: 'cancel', reason: 'oh' },
      'upd_3 is being cancelled.\n',
    ],
    [
      ['rollback', '1.0.0', '--restore-database', '--reason', 'slow'],
      { command: 'rollback', version: '1.0.0', restoreDatabase: true, reason: 'slow' },
      'upd_3 has begun; self-update status shows how it goes.\n',
    ],
    [['resume', '--json'], { command: 'resume' }, '{"txn":"upd_3"}\n'],
  ] as const) {
    test(`self-update ${words.join(' ')} asks for just that`, async (t) => {
      const paths = makeState(t);
      const { requests } = startFakeSupervisor(t, paths, () => ({ txn: 'upd_3' }));
      const { code, stdout, stderr } = await runUpdateCli(t, paths, words);
      assert.deepEqual([code, stdout, stderr], [EXIT.ok, said, '']);
      const [{ id: _id, at: _at, by: _by, ...asked } = {}] = requests;
      assert.deepEqual(asked, {
        trigger: 'cli',
        reason: null,
        dryRun: false,
        tag: null,
        force: false,
        version: null,
        restoreDatabase: false,
        pid: null,
        ...expected,
      });
    });
  }

  for (const words of [['rollback', '9.9.9'], ['cancel']]) {
    test(`a refusal of ${words[0]} ends with 1, and why stands on stderr`, async (t) => {
      const paths = makeState(t);
      const failure = { code: 'UPDATE_VERSION_UNKNOWN', detail: '9.9.9.' } as const;
      startFakeSupervisor(t, paths, () => ({ failure }));
      const { code, stdout, stderr } = await runUpdateCli(t, paths, words);
      assert.deepEqual([code, stdout], [EXIT.failure, '']);
      assert.match(stderr, /^UPDATE_VERSION_UNKNOWN: That version is not kept on this host\. 9\.9/);
    });
  }
});

describe('the command line of self-update', () => {
  for (const [title, words, said] of [
    ['no command', [], /Usage: pod-upgrade-trigger self-update/],
    ['an unknown command', ['upgrade'], /unknown command 'upgrade'/],
    ['a rollback to nothing', ['rollback'], /missing required argument 'version'/],
    ['an empty tag', ['run', '--tag', ''], /1 to 200 characters/],
    ['a reason that is too long', ['hold', '--reason', 'x'.repeat(501)], /1 to 500 characters/],
    ['a limit of nothing', ['history', '--limit', '0'], /a whole number, 1 to 500/],
    ['a limit that is no number', ['history', '--limit', '1e2'], /a whole number, 1 to 500/],
  ] as const) {
    test(`${title} ends with 2 and asks for nothing`, async (t) => {
      const paths = makeState(t);
      const { requests } = startFakeSupervisor(t, paths);
      const { code, stdout, stderr } = await runUpdateCli(t, paths, words);
      assert.deepEqual([code, stdout, requests], [EXIT.usage, '', []]);
      assert.match(stderr, said);
    });
  }
});
