import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tagImage } from '../../../app/host/podman-images.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

for (const [title, end, code] of [
  ['podman refuses', { kind: 'exited', code: 125 }, 'TAG_FAILED'],
  [
    'its service refuses',
    { kind: 'answered', status: 404, method: 'POST', path: '/v4.0.0' },
    'TAG_FAILED',
  ],
  ['podman is ended, which may have given it before', { kind: 'aborted' }, 'PODMAN_FAILED'],
  ['podman takes too long', { kind: 'timed-out' }, 'PODMAN_FAILED'],
  ['podman is killed', { kind: 'signalled', signal: 'SIGKILL' }, 'PODMAN_FAILED'],
] as const) {
  test(`a name that is not given because ${title}: ${code}`, async () => {
    const { run } = answerCommands(() => ({ end }));
    const tagged = await tagImage(run, 'i1', 'localhost/a:1');
    assert.equal(!tagged.ok && tagged.failure.code, code);
  });
}
