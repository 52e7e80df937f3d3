import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepTimerOff } from '../../../app/host/timer-guard.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

const LIST = '/home/u/.config/containers/podup-quarantine.conf';
const line = (data: unknown) => JSON.stringify({ type: 'x', data });
const RUN = ['podman', 'run', '--label', 'io.containers.autoupdate=registry', 'ghcr.io/o/web:1'];

/** A host on which every file is as it should be already. */
function start() {
  return answerCommands((argv) => {
    if (argv.some((word) => word.endsWith('.Unit'))) {
      const said = ['web.service', 'loaded', 'active', 'running', false, '', '', [], []];
      return { stdout: said.map(line).join('\n') };
    }
    if (argv[0] === 'busctl') {
      return { stdout: ['success', 1, [['/usr/bin/podman', RUN]]].map(line).join('\n') };
    }
    if (argv[0] === 'podman') return { stdout: 'podman version 4.3.1\n' };
    return {
      stdout: argv.some((word) => word.startsWith('printf %s')) ? '/home/u/.config' : '',
    };
  });
}

for (const [title, guard, isRead] of [
  ['is in no record is read again, for a crash may have come before', null, true],
  ['is in the record is not', LIST, false],
] as const) {
  test(`a guard that lies there and ${title}`, async () => {
    const { run, asked } = start();
    const unit = { unit: 'web.service', image: 'ghcr.io/o/web:1', guard };
    const kept = await keepTimerOff(run, [unit], []);
    assert.deepEqual(kept, { ok: true, value: new Map([['web.service', LIST]]) });
    assert.equal(
      asked.some(({ argv }) => argv.includes('daemon-reload')),
      isRead,
    );
  });
}

test('what the manager has in its environment is not recorded', async () => {
  const { run, asked } = start();
  await keepTimerOff(run, [{ unit: 'web.service', image: 'ghcr.io/o/web:1', guard: null }], []);
  const environment = asked.find(({ argv }) => argv.includes('show-environment'));
  assert.equal(environment?.isPrivate, true);
});
