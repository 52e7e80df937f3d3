// Needs: setpriv
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { PROGRAM_FILE, Product } from '../helpers/product.ts';

const run = promisify(execFile);
const IS_ROOT = process.getuid?.() === 0;
const OTHER_UID = 64_321;
/** So many workers end in order and are replaced under the commands. */
const SWAPS = 3;

const ENVIRONMENT = {
  PODUP_MANUAL_UNITS: 'web',
  PODUP_TASK_EXECUTOR: 'child',
  XDG_RUNTIME_DIR: '/proc/none',
};

/** A command of the built program, with nothing but the state directory known to it. */
async function command(product: Product, ...words: string[]) {
  const env = { PATH: process.env['PATH'], PODUP_STATE_DIR: product.stateDir };
  const { stdout } = await run(process.execPath, [PROGRAM_FILE, ...words], { env });
  return stdout;
}

describe('commands beside the running product', () => {
  test('need neither address nor token, and are recorded with their user', async () => {
    await using product = await Product.start(ENVIRONMENT);
    const { task_id: id } = JSON.parse(await command(product, 'deploy', 'web', '--json'));
    const task = await product.task(id);
    assert.match(task.trigger.caller ?? '', /^cli:\S+$/);
    const events = await product.events();
    const asked = events.find(({ path }) => path === '/api/deployments');
    assert.deepEqual([asked?.actor, asked?.task_id], [task.trigger.caller, id]);
  });

  test('do not fail while workers take each other’s place', async () => {
    await using product = await Product.start(ENVIRONMENT);
    let isOver = false;
    let done = 0;
    const asking = [1, 2].map(async () => {
      while (!isOver) {
        const made = JSON.parse(await command(product, 'deploy', 'web', '--json'));
        assert.match(made.task_id, /^tsk_/);
        JSON.parse(await command(product, 'tasks', 'list', '--json'));
        done += 2;
      }
    });
    for (let swap = 1; swap <= SWAPS; swap++) {
      process.kill(product.workerPid, 'SIGTERM');
      await product.ready(swap + 1);
    }
    isOver = true;
    await Promise.all(asking);
    assert.ok(done > 0);
  });

  test('work on the state once it is stopped', async () => {
    await using product = await Product.start(ENVIRONMENT);
    const { task_id: id } = JSON.parse(await command(product, 'deploy', 'web', '--json'));
    await product.stop();
    const { tasks } = JSON.parse(await command(product, 'tasks', 'list', '--json'));
    assert.ok(tasks.some((task: { task_id: string }) => task.task_id === id));
  });

  test('of another user are told whose service it is', {
    skip: !IS_ROOT && 'needs root',
  }, async () => {
    await using product = await Product.start(ENVIRONMENT);
    for (const path of [product.stateDir, join(product.stateDir, 'data')]) chmodSync(path, 0o755);
    const env = { PATH: process.env['PATH'], PODUP_STATE_DIR: product.stateDir };
    const words = ['--reuid', String(OTHER_UID), '--clear-groups', process.execPath, PROGRAM_FILE];
    await assert.rejects(
      run('setpriv', [...words, 'tasks', 'list', '--json'], { env }),
      (error) => {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        assert.equal(code, 1);
        assert.equal(JSON.parse(stdout).failure.code, 'SERVICE_OF_ANOTHER_USER');
        assert.match(stderr, /^SERVICE_OF_ANOTHER_USER: /);
        return true;
      },
    );
  });
});
