import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT } from '../../shared/contract/exit-codes.ts';
import { runProgram } from './cli/program.ts';
import { makeFolder } from './http/http-fixture.ts';

describe('command line', () => {
  test('--version says version and commit', async (t) => {
    const { code, stdout, stderr } = await runProgram(t, ['--version']);
    assert.deepEqual([code, stdout, stderr], [0, `${PROGRAM.version} (${PROGRAM.commit})\n`, '']);
    assert.match(stdout, /^\d+\.\d+\.\d+ \(source\)\n$/);
  });

  test('--help lists every command and every exit code', async (t) => {
    const { code, stdout } = await runProgram(t, ['--help']);
    assert.equal(code, 0);
    for (const name of ['supervise', 'http-server', 'run-task', 'check-config']) {
      assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'));
    }
    for (const value of Object.values(EXIT))
      assert.match(stdout, new RegExp(`^  ${value} +\\w`, 'm'));
  });

  for (const [words, said] of [
    [['--check-config'], /^The configuration is valid\./],
    [['version'], /^\d+\.\d+\.\d+ \(source\)\n$/],
    [['--server', '--help'], /^Usage: pod-upgrade-trigger http-server/],
  ] as const) {
    test(`${words.join(' ')} is understood, as it was by the earlier program`, async (t) => {
      const environment = { PODUP_STATE_DIR: '/proc/none/podup' };
      const { code, stdout } = await runProgram(t, words, environment);
      assert.equal(code, EXIT.ok);
      assert.match(stdout, said);
    });
  }

  for (const group of ['tasks', 'events', 'quarantine', 'backup', 'self-update', 'config']) {
    test(`${group} alone does nothing but show its help, and ends with 2`, async (t) => {
      const { code, stdout, stderr } = await runProgram(t, [group]);
      assert.deepEqual([code, stdout], [EXIT.usage, '']);
      assert.match(stderr, new RegExp(`^Usage: pod-upgrade-trigger ${group} `));
    });
  }

  test('the help of supervise is shown without a supervisor', async (t) => {
    const { code, stdout } = await runProgram(t, ['supervise', '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /another program to supervise/);
  });

  for (const [title, words, said] of [
    ['an unknown command', ['dploy'], /unknown command 'dploy'/],
    ['an unknown option', ['http-server', '--port', '1'], /unknown option '--port'/],
    ['no id for run-task', ['run-task'], /missing required argument 'id'/],
    ['an id that is none', ['run-task', '../x', '1'], /not the id of a task/],
    ['an attempt that is no number', ['run-task', 'tsk_0000000000000000000', 'x'], /not the id/],
    ['one argument too many', ['check-config', 'now'], /too many arguments/],
    ['words for supervise without --', ['supervise', 'true'], /usage: .*supervise \[-- COMMAND/],
  ] as const) {
    test(`${title} ends with 2 and says why on stderr`, async (t) => {
      const { code, stdout, stderr } = await runProgram(t, words);
      assert.deepEqual([code, stdout], [EXIT.usage, '']);
      assert.match(stderr, said);
    });
  }

  test('no command at all shows the help and ends with 2', async (t) => {
    const { code, stdout, stderr } = await runProgram(t, []);
    assert.equal(code, EXIT.usage);
    assert.match(stdout + stderr, /Usage: pod-upgrade-trigger/);
  });
});

describe('output that nobody reads any more', () => {
  test('is no failure of the command', (t) => {
    const script = join(import.meta.dirname, '../../scripts/pod-upgrade-trigger.ts');
    const line = `set -o pipefail; '${process.execPath}' '${script}' config show | true`;
    const env = { PATH: process.env['PATH'], PODUP_STATE_DIR: makeFolder(t) };
    const { status, stderr } = spawnSync('bash', ['--norc', '-c', line], { env, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [EXIT.ok, '']);
  });
});

describe('check-config', () => {
  test('a valid configuration is said to be valid, with where the state lies', async (t) => {
    const folder = makeFolder(t);
    const { code, stdout, stderr } = await runProgram(t, ['check-config'], {
      PODUP_STATE_DIR: folder,
      PODUP_TOKN: 'zgeheim-token',
      WEBHOOK_TOKEN: 'zgeheim-token',
    });
    assert.deepEqual([code, stdout], [0, `The configuration is valid. State: ${folder}\n`]);
    assert.match(
      stderr,
      /^warning: PODUP_TOKN is not a known setting; did you mean PODUP_TOKEN\?$/m,
    );
    assert.match(stderr, /^warning: WEBHOOK_TOKEN is deprecated; set PODUP_TOKEN instead\.$/m);
    assert.doesNotMatch(stdout + stderr, /zgeheim/);
  });

  test('every fault is printed at once, with the variable and what is allowed, and no secret', async (t) => {
    const { code, stdout, stderr } = await runProgram(t, ['check-config'], {
      PODUP_STATE_DIR: 'relative',
      PODUP_HTTP_ADDR: 'example.org:80',
      PODUP_TASK_CONCURRENCY: '0',
      PODUP_TOKEN: 'zge',
      PODUP_GH_WEBHOOK_SECRET_FILE: '/nonexistent/secret',
    });
    assert.deepEqual([code, stdout], [EXIT.configInvalid, '']);
    const [head, ...faults] = stderr.trimEnd().split('\n');
    assert.match(head ?? '', /^CONFIG_INVALID: /);
    assert.deepEqual(faults.sort(), [
      '  PODUP_GH_WEBHOOK_SECRET_FILE: "/nonexistent/secret" cannot be read (ENOENT); allowed: a readable text file.',
      '  PODUP_HTTP_ADDR: "example.org:80" is not allowed; allowed: ADDRESS:PORT with a numeric IPv4 address, a bracketed IPv6 address or localhost.',
      '  PODUP_STATE_DIR: "relative" is not allowed; allowed: an absolute path.',
      '  PODUP_TASK_CONCURRENCY: "0" is not allowed; allowed: a number, 1 to 32.',
      '  PODUP_TOKEN: the given value is not allowed; allowed: 8 to 4096 characters.',
    ]);
  });
});
