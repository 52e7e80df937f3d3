import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createExecutorChoice } from '../../app/tasks/choose-executor.ts';
import { createSystemdRunExecutor } from '../../app/tasks/systemd-run-executor.ts';
import type { TaskProgram } from '../../app/tasks/task-executor.ts';
import { runCommand } from '../../shared/process/run-command.ts';
import { makeFolder } from '../app/http/http-fixture.ts';
import { addTask, findTask, makeStore } from '../app/tasks/task-fixture.ts';
import { command } from '../helpers/lab.ts';
import { ignoresTerm } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';

const STAY = join(import.meta.dirname, '../fixtures/tasks/stay.ts');
const { PATH = '', XDG_RUNTIME_DIR = '', DBUS_SESSION_BUS_ADDRESS = '' } = process.env;
const ENVIRONMENT = { PATH, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, GIVEN: 'zgeheim é "value"' };
const LIMIT_MS = 60_000;

function makeTask(context: TestContext) {
  const store = makeStore(context);
  const id = addTask(store, 'web.service');
  store.tasks.markDispatched(id, 'systemd-run', 1);
  return findTask(store, id);
}

function executorOf(program: Partial<TaskProgram>) {
  const all = { argv: ['true'], environment: ENVIRONMENT, ...program } as const;
  return createSystemdRunExecutor(runCommand, all, LIMIT_MS);
}

/** Starts a task that stays, and waits for what it says of itself. */
async function startStaying(context: TestContext) {
  const report = join(makeFolder(context), 'report');
  const task = makeTask(context);
  const executor = executorOf({ argv: [process.execPath, STAY, report, '/bin/sleep'] });
  const ended = executor.start(task);
  const read = () => {
    try {
      return JSON.parse(readFileSync(report, 'utf8'));
    } catch {
      return undefined;
    }
  };
  const said = await until('the report', 20_000, read);
  context.after(() => {
    if (isThere(said.pid)) process.kill(said.pid, 'SIGKILL');
  });
  return { task, executor, ended, said };
}

function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    })
    .join('\n');
}

function isThere(pid: number): boolean {
  return readdirSync('/proc').includes(String(pid));
}

describe('systemd-run executor', () => {
  test('the task runs in a unit of its own, with the environment handed over by name', async (t) => {
    const { task, ended, said } = await startStaying(t);
    assert.deepEqual(said.words, ['run-task', task.id, String(task.attempts)]);
    assert.equal(said.env.GIVEN, ENVIRONMENT.GIVEN);
    assert.ok(!commandLines().includes('zgeheim'));
    const unit = `podup-task-${task.id.slice(4)}-1.service`;
    assert.match(readFileSync(`/proc/${said.pid}/cgroup`, 'utf8'), new RegExp(`/${unit}$`, 'm'));
    const shown = command(
      'systemctl',
      '--user',
      'show',
      unit,
      '--property=Description,RuntimeMaxUSec',
    );
    assert.match(shown, /Description=pod-upgrade-trigger: task of web\.service/);
    assert.match(shown, /RuntimeMaxUSec=11min/);
    process.kill(said.pid, 'SIGKILL');
    assert.match(await ended, /^systemd-run --user --collect/);
    await until('the end of the tree', 10_000, () => !isThere(said.sleeper));
  });

  test('a task that ends well ends its unit', async (t) => {
    assert.equal(await executorOf({}).start(makeTask(t)), 'the transient unit ended');
  });

  for (const [title, program, how] of [
    ['a program that fails', { argv: ['false'] }, /exited with 1/],
    ['a program that is not there', { argv: ['/nonexistent/program'] }, /exited with [1-9]/],
    [
      'a user manager that is not there',
      {
        environment: {
          ...ENVIRONMENT,
          XDG_RUNTIME_DIR: '/proc/none',
          DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
        },
      },
      /exited with 1: Failed to connect/,
    ],
    [
      'no systemd-run',
      { environment: { PATH: '/nonexistent' } },
      /could not be started \(ENOENT\)/,
    ],
  ] as const) {
    test(`${title} is reported, not thrown`, async (t) => {
      assert.match(await executorOf(program).start(makeTask(t)), how);
    });
  }

  test('a close leaves the task alone, and a later worker watches it to its end', async (t) => {
    const { task, executor, ended, said } = await startStaying(t);
    executor.close();
    assert.match(await ended, /was stopped/);
    const adopted = await executorOf({}).adopt(task);
    assert.ok(adopted.kind === 'alive' && isThere(said.pid));
    let isOver = false;
    const over = adopted.ended.then((how) => {
      isOver = true;
      return how;
    });
    await until('the waiter', 10_000, () => commandLines().includes('start\0--wait'));
    assert.equal(isOver, false);
    process.kill(said.pid, 'SIGKILL');
    assert.equal(await over, 'the transient unit ended');
  });

  test('a worker that is killed outright leaves the task alone too', async (t) => {
    const { task, said } = await startStaying(t);
    const waiter = Number(command('pgrep', '--full', `systemd-run.*${task.id}`).split('\n')[0]);
    process.kill(waiter, 'SIGKILL');
    const adopted = await executorOf({}).adopt(task);
    assert.ok(adopted.kind === 'alive' && isThere(said.pid));
    process.kill(said.pid, 'SIGKILL');
    await adopted.ended;
  });

  test('a kill ends the whole tree of the unit, and only that', async (t) => {
    const [mine, other] = [await startStaying(t), await startStaying(t)];
    assert.deepEqual(await mine.executor.kill(mine.task), { ok: true, value: undefined });
    assert.match(await mine.ended, /^systemd-run --user --collect/);
    assert.deepEqual([isThere(mine.said.pid), isThere(mine.said.sleeper)], [false, false]);
    assert.deepEqual([isThere(other.said.pid), isThere(other.said.sleeper)], [true, true]);
    assert.deepEqual(await mine.executor.adopt(mine.task), { kind: 'gone' });
    assert.deepEqual(await mine.executor.kill(mine.task), { ok: true, value: undefined });
    const later = executorOf({});
    assert.deepEqual(await later.kill(other.task), { ok: true, value: undefined });
    await other.ended;
    assert.equal(isThere(other.said.sleeper), false);
  });

  test('a kill does not ask: what ignores SIGTERM is gone as soon', async (t) => {
    const task = makeTask(t);
    const script = "trap '' TERM; while :; do sleep 600; done";
    const executor = executorOf({ argv: ['/bin/sh', '-c', script] });
    const ended = executor.start(task);
    const unit = `podup-task-${task.id.slice(4)}-1.service`;
    const mainPid = () => {
      const shown = command('systemctl', '--user', 'show', unit, '--property=MainPID', '--value');
      return Number(shown.trim());
    };
    const pid = await until('the process', 20_000, () => mainPid() || undefined);
    await until('its deafness', 20_000, () => ignoresTerm(pid));
    assert.deepEqual(await executor.kill(task), { ok: true, value: undefined });
    await ended;
    assert.equal(isThere(pid), false);
  });

  test('a kill that nobody can speak for is told', async (t) => {
    const nobody = createSystemdRunExecutor(
      (command) => runCommand({ ...command, environment: { PATH, XDG_RUNTIME_DIR: '/proc/none' } }),
      { argv: ['true'], environment: ENVIRONMENT },
      LIMIT_MS,
    );
    const killed = await nobody.kill(makeTask(t));
    assert.ok(!killed.ok);
    assert.equal(killed.failure.code, 'TASK_NOT_KILLED');
    assert.match(killed.failure.detail, /USER_MANAGER_UNAVAILABLE/);
  });

  test('a unit that is gone is not taken over', async (t) => {
    const task = makeTask(t);
    const executor = executorOf({});
    await executor.start(task);
    assert.deepEqual(await executor.adopt(task), { kind: 'gone' });
    assert.deepEqual(await executor.adopt({ ...task, attempts: 2 }), { kind: 'gone' });
  });

  test('auto takes the unit on a host with a user manager', async () => {
    const child = { ...executorOf({}), kind: 'child' } as const;
    const choose = createExecutorChoice('auto', { systemdRun: executorOf({}), child }, runCommand);
    assert.equal((await choose()).kind, 'systemd-run');
  });
});
