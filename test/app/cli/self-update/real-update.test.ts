import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import {
  ADMIN_TOKEN,
  Installation,
  type Service,
  UPDATE_PATIENCE_MS,
} from '../../../helpers/installation.ts';
import { until } from '../../../helpers/until.ts';

/** Runs the installed program as a person of the host does, who knows where the state lies and nothing else. */
async function runInstalled({ program, paths }: Installation, ...words: readonly string[]) {
  const child = spawn(program.target, ['self-update', ...words], {
    env: { PATH: process.env['PATH'], PODUP_STATE_DIR: paths.stateDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, ...said };
}

/** The states of the update that an admin sees who listens, until the worker that tells them is stopped. */
async function listen(service: Service): Promise<() => Promise<readonly string[]>> {
  const answer = await fetch(`http://${service.address}/sse/self-update`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  assert.equal(answer.status, 200);
  const text = answer.text();
  return async () => {
    const states = [...(await text).matchAll(/^data: .*?"state":"([a-z-]+)"/gm)];
    return [...new Set(states.map(([, state = '']) => state))];
  };
}

describe('an installed program', () => {
  test('is updated and taken back from the command line, with a task for each', async () => {
    await using installation = await Installation.make();
    await installation.offer({ version: '2.0.0' });
    const service = installation.start();
    await service.ready();
    const statesSeen = await listen(service);

    const updated = await runInstalled(installation, 'run', '--wait', '--json');
    assert.equal(updated.code, 0, updated.stderr);
    const { outcome, from, to } = JSON.parse(updated.stdout);
    assert.deepEqual([outcome, from.version, to.version], ['committed', '1.0.0', '2.0.0']);
    assert.equal(await service.version(), '2.0.0');
    const states = await statesSeen();
    assert.ok(states.includes('staging'), states.join());

    const back = await runInstalled(installation, 'rollback', '1.0.0', '--wait');
    assert.equal(back.code, 0, back.stderr);
    assert.match(back.stdout, /: 1\.0\.0 is installed; it was 2\.0\.0\.\n$/);
    assert.equal(await service.version(), '1.0.0');

    const history = await runInstalled(installation, 'history');
    assert.match(
      history.stdout,
      /committed {2}2\.0\.0 {2}1\.0\.0[\s\S]*committed {2}1\.0\.0 {2}2\.0\.0/,
    );
    assert.match(history.stdout, /^Can be gone back to: 2\.0\.0/m);

    const reasons = await until('a task for each', UPDATE_PATIENCE_MS, async () => {
      const { body } = await service.api('/api/tasks');
      const { tasks } = body as { tasks: { kind: string; status: string; trigger: object }[] };
      const own = tasks.filter(
        ({ kind, status }) => kind === 'self-update' && status === 'succeeded',
      );
      return own.length === 2 && own.map(({ trigger }) => trigger as { reason: string });
    });
    assert.equal(reasons.length, 2);
    const cancelled = await runInstalled(installation, 'cancel');
    assert.equal(cancelled.code, 1);
    assert.match(cancelled.stderr, /^UPDATE_NONE_OPEN: /);
  });
});
