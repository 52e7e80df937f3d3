import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { ownChildren, trackChild } from '../../../supervisor/process/own-children.ts';

describe('trackChild', () => {
  test('counts a child among our own until its end was told', async () => {
    const child = spawn('sh', ['-c', 'read line'], { stdio: ['pipe', 'ignore', 'ignore'] });
    trackChild(child);
    assert.ok(child.pid !== undefined);
    assert.deepEqual([...ownChildren], [child.pid]);
    child.stdin.end();
    await once(child, 'exit');
    assert.deepEqual([...ownChildren], []);
  });

  test('one that could not be started has no end to wait for', async () => {
    const child = spawn('/nonexistent');
    trackChild(child);
    await once(child, 'error');
    assert.deepEqual([...ownChildren], []);
  });
});
