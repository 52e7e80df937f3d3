import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { command, countStarts, served } from '../helpers/lab.ts';
import { findProcesses } from '../helpers/processes.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/demo.ts');
const LIMIT_MS = 60_000;

function runDemo(environment: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [SCRIPT], {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    env: { ...process.env, ...environment },
  });
}

/** Whether the story has, in this order, a line that fits each. */
function assertTold(story: string, expected: readonly RegExp[]): void {
  let rest = story.split('\n');
  for (const line of expected) {
    const at = rest.findIndex((text) => line.test(text));
    assert.notEqual(at, -1, `${line} is not told in\n${rest.join('\n')}`);
    rest = rest.slice(at + 1);
  }
}

describe('the demo', () => {
  test('tells a push, its deployment, two refusals and a crash, and ends well', async () => {
    const { status, stdout, stderr } = runDemo();
    assert.equal(status, 0, stdout + stderr);
    const digest = stdout.match(/(?<=:stable is now )\S+/g)?.[1] ?? '';
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    assertTold(stdout, [
      /:8081\/ serves v1$/,
      /:8081\/ still serves v1$/,
      /^ {4}202 \{.*"verdict":"accepted","image":"127\.0\.0\.1:5000\/web:stable","matched":"tag"/,
      /:8081\/ serves v2, \d+ ms after the POST/,
      ...['webhook said', 'registry says', 'podman pulled', 'unit runs'].map(
        (what) => new RegExp(`${what} +${digest}$`),
      ),
      /^ +\d+ ms {2}podman pull --quiet -- 127/,
      /^ +\d+ ms {2}systemctl --user restart -- web\.service$/,
      /^ {4}401 SIGNATURE_INVALID: /,
      /^ {4}hint: /,
      /^ {4}200 \{.*"verdict":"duplicate"/,
      /^ {4}worker \d+ is dead, worker \d+ serves/,
      /:8081\/ serves v3, \d+ ms after the POST$/,
      /tasks so far: 2; containers of v3 started: 1/,
      /^All as told\. Try next:$/,
    ]);
    assert.equal(await served(8081), 'v3');
    assert.deepEqual([countStarts('web.service', 'v2'), countStarts('web.service', 'v3')], [1, 1]);
  });

  test('leaves nothing of the product running', () => {
    assert.deepEqual(findProcesses('pod-upgrade-trigger.mjs'), []);
  });

  test('ends with 1 and the reason when something is not as told', () => {
    command('systemctl', '--user', 'stop', 'lab-registry');
    const { status, stderr } = runDemo();
    command('systemctl', '--user', 'start', 'lab-registry');
    assert.equal(status, 1);
    assert.match(stderr, /^The demo stopped: .*\/image web:stable --version v1/m);
  });

  test('says what it needs where it cannot have a host of its own', () => {
    const { status, stdout, stderr } = runDemo({ LAB_DIR: '' });
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^The demo cannot run here\. It needs root, .* Run: sudo npm run demo$/m);
  });
});
