import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Installation, type Service, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { until } from '../helpers/until.ts';

/** A namespace in which the service is process 1, as in a container. */
const NAMESPACE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;

/** Leaves a process without its parent, which ends a moment later: process 1 gets it. */
const LEAVES_ORPHANS = `if (role === 'http-server') {
  const { spawn } = require('node:child_process');
  for (const time of ['0.1', '0.2', '0.3']) spawn('sh', ['-c', '(sleep ' + time + ' &)'], { stdio: 'ignore' });
}`;

for (const [what, init, ownPid] of [
  ['process 1 of a namespace', [], 1],
  ['a child of an init that is process 1', ['catatonit', '--'], 2],
] as const) {
  describe(`the service as ${what}`, () => {
    test('is updated and goes back in the same process, and leaves no zombie', async () => {
      await using installation = await Installation.make({
        first: { prologue: LEAVES_ORPHANS },
        environment: { NODE_V8_COVERAGE: '' },
      });
      const service = installation.start({}, [...NAMESPACE, ...init]);
      await service.ready();
      const inner = childOf(Number(service.child.pid));

      await installation.offer({ version: '1.1.0', prologue: LEAVES_ORPHANS });
      assert.equal((await installation.update()).outcome, 'committed');
      assert.equal(await service.version(), '1.1.0');
      await installation.offer({
        version: '1.2.0',
        generation: 2,
        break: 'crash-at-start',
        prologue: LEAVES_ORPHANS,
      });
      assert.equal((await installation.update()).outcome, 'rolled-back');
      assert.equal(await service.version(), '1.1.0');

      assert.deepEqual(supervisorPids(service), [ownPid]);
      await until('no zombie is left', UPDATE_PATIENCE_MS, () => zombiesBelow(inner).length === 0);
      process.kill(inner, 'SIGTERM');
      await service.exited;
      assert.equal(service.child.exitCode, 0);
    });
  });
}

test('a new supervisor that dies as process 1 takes all with it; started again, the former version serves', async () => {
  await using installation = await Installation.make({ environment: { NODE_V8_COVERAGE: '' } });
  const first = installation.start({}, NAMESPACE);
  await first.ready();
  await installation.offer({ version: '1.1.0', break: 'supervisor-throws' });
  const { txn } = await installation.ask({ command: 'run' });
  await first.exited;
  const second = installation.start({}, NAMESPACE);
  const { outcome, failure } = await installation.finished(txn ?? '');
  assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_SUPERVISOR_FAILED']);
  assert.equal(await second.version(), '1.0.0');
  process.kill(childOf(Number(second.child.pid)), 'SIGTERM');
  await second.exited;
  assert.equal(second.child.exitCode, 0);
});

/** Which process the supervisor was each time that it took hold of the socket, as it sees itself. */
function supervisorPids({ lines }: Service): number[] {
  const held = lines.filter(({ msg }) => msg === 'socket held');
  assert.equal(held.length, 2, 'once at the start, once as the new program');
  return [...new Set(held.map(({ pid }) => Number(pid)))];
}

/** The only child of a process. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

type Facts = { readonly pid: number; readonly parent: number; readonly state: string };

function zombiesBelow(root: number): readonly Facts[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readFacts(name) : []));
  const isBelow = ({ parent }: Facts): boolean =>
    parent === root || all.some((each) => each.pid === parent && isBelow(each));
  return all.filter((each) => each.state === 'Z' && isBelow(each));
}

/** proc_pid_stat(5); none where it has ended meanwhile. */
function readFacts(name: string): readonly Facts[] {
  try {
    const [, state = '', parent = ''] =
      /\) (\S) (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
    return [{ pid: Number(name), parent: Number(parent), state }];
  } catch {
    return [];
  }
}
