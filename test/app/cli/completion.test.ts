// Needs: bash, zsh, fish
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startApp } from '../http/http-fixture.ts';
import { addTask } from '../tasks/task-fixture.ts';

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, '../../../scripts/pod-upgrade-trigger.ts');

/** What each shell offers for a line whose last word is not whole; the script is loaded as a user would. */
const SHELLS = {
  bash: (words: readonly string[]) => [
    '--norc',
    '-c',
    `source <(pod-upgrade-trigger completion bash); complete -p pod-upgrade-trigger > /dev/null
     COMP_WORDS=(pod-upgrade-trigger "$@"); COMP_CWORD=$#; _pod_upgrade_trigger
     printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
    ...words,
  ],
  // Its line editor wants a terminal; what it would be told is printed here.
  zsh: (words: readonly string[]) => [
    '-f',
    '-c',
    `autoload -U compinit && compinit -u -D && source <(pod-upgrade-trigger completion zsh)
     [[ $_comps[pod-upgrade-trigger] == _pod_upgrade_trigger ]] || exit 1
     _describe() { print -l -- \${(P)2} | sed 's/:.*//' }
     words=(pod-upgrade-trigger "$@"); CURRENT=$(($# + 1)); last=$words[-1]
     _pod_upgrade_trigger | grep -- "^$last"`,
    'zsh',
    ...words,
  ],
  fish: (words: readonly string[]) => [
    '--no-config',
    '-c',
    `pod-upgrade-trigger completion fish | source
     complete -C 'pod-upgrade-trigger ${words.join(' ')}' | cut -f 1`,
  ],
} as const;

async function start(context: TestContext) {
  const { folder, store } = await startApp(context);
  const task = addTask(store, 'web.service');
  const bin = makeTempFolder(context);
  const program = join(bin, 'pod-upgrade-trigger');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${SCRIPT}' "$@"\n`);
  chmodSync(program, 0o755);
  const env = {
    PATH: [bin, process.env['PATH']].join(delimiter),
    HOME: bin,
    LC_ALL: 'C.UTF-8',
    PODUP_STATE_DIR: folder,
  };
  const offer = async (shell: keyof typeof SHELLS, ...words: string[]) => {
    const { stdout, stderr } = await run(shell, SHELLS[shell](words), { env }).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    assert.equal(stderr, '');
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  };
  return { task, offer };
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  describe(`completion in ${shell}`, () => {
    test('offers commands, options, their words, and tasks that the service knows', async (t) => {
      const { task, offer } = await start(t);
      assert.deepEqual(await offer(shell, 'ta'), ['tasks']);
      assert.deepEqual(await offer(shell, 'tasks', 'st'), ['stop']);
      assert.deepEqual(await offer(shell, 'tasks', 'list', '--unit'), ['--unit', '--unit-query']);
      assert.deepEqual(await offer(shell, 'events', 'export', '--format', 'j'), ['jsonl']);
      assert.deepEqual(await offer(shell, 'completion', 'f'), ['fish']);
      assert.deepEqual(await offer(shell, 'tasks', 'show', 'tsk'), [task]);
    });
  });
}
