import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { TaskRow } from '../../../app/db/tasks.ts';
import { createChildExecutor, TASK_ID_VARIABLE } from '../../../app/tasks/child-executor.ts';
import { endAllTaskProcesses, endTaskProcesses } from '../../../app/tasks/end-task-processes.ts';
import { until } from '../../helpers/until.ts';
import { defer, makeFolder } from '../http/http-fixture.ts';
import { addTask, findTask, makeStore } from './task-fixture.ts';

const STAY = join(import.meta.dirname, '../../fixtures/tasks/stay.ts');
const SLEEP = '/bin/sleep';

type Report = {
  readonly pid: number;
  readonly words: string[];
  readonly env: Record<string, string>;
  readonly sleeper: number;
};

function makeTask(context: TestContext): TaskRow {
  const store = makeStore(context);
  return findTask(store, addTask(store, 'web.service'));
}

/** Starts a task that stays, and waits for what it says of itself. */
async function startStaying(context: TestContext, task: TaskRow, sleeper = SLEEP) {
  const report = join(makeFolder(context), 'report');
  const executor = createChildExecutor({
    argv: [process.execPath, STAY, report, sleeper],
    environment: { PATH: '/usr/bin:/bin', GIVEN: 'yes' },
  });
  const ended = executor.start(task);
  const said: Report = await until('the report', 20_000, () => readReport(report));
  defer(context, () => {
    for (const pid of [said.pid, said.sleeper]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return { executor, ended, said, report };
}

function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A killed process whose parent has not looked yet is dead all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function untilDead(pid: number): Promise<boolean> {
  return until(`the end of ${pid}`, 10_000, () => !isAlive(pid));
}

describe('child executor', () => {
  test('the process gets exactly the environment that was handed over, and its task', async (t) => {
    const task = makeTask(t);
    const { said, executor, ended } = await startStaying(t, task);
    // What Node itself adds: the channel, and the folder of a coverage run.
    const environment = Object.fromEntries(
      Object.entries(said.env).filter(([name]) => !/^NODE_(CHANNEL|V8_COVERAGE)/.test(name)),
    );
    assert.deepEqual(environment, {
      PATH: '/usr/bin:/bin',
      GIVEN: 'yes',
      [TASK_ID_VARIABLE]: `${task.id}-0`,
    });
    assert.deepEqual(said.words, ['run-task', task.id, String(task.attempts)]);
    executor.close();
    assert.equal(await ended, 'the process exited with 7');
  });

  test('the close tells each process that its worker goes', async (t) => {
    const first = await startStaying(t, makeTask(t));
    first.executor.close();
    assert.equal(await first.ended, 'the process exited with 7');
    first.executor.close();
  });

  test('the process of a task is told to look, also where it was started for another', async (t) => {
    const store = makeStore(t);
    const [first, other] = [addTask(store, 'a'), addTask(store, 'b')];
    const mine = await startStaying(t, findTask(store, first));
    rmSync(mine.report);
    const theirs = mine.executor.start(findTask(store, other));
    await until('the other report', 20_000, () => readReport(mine.report));
    await mine.executor.wake({ ...findTask(store, addTask(store, 'c')), process: `${other}-0` });
    // It does not know the signal.
    assert.equal(await theirs, 'SIGUSR2 ended the process');
    assert.equal(isAlive(mine.said.pid), true);
    mine.executor.close();
    assert.equal(await mine.ended, 'the process exited with 7');
  });

  test('a process that is killed is reported with its signal', async (t) => {
    const { said, ended } = await startStaying(t, makeTask(t));
    process.kill(said.pid, 'SIGKILL');
    assert.equal(await ended, 'SIGKILL ended the process');
  });

  test('a program that cannot be run is reported, not thrown', async (t) => {
    const executor = createChildExecutor({ argv: ['/nonexistent/program'], environment: {} });
    assert.equal(await executor.start(makeTask(t)), 'the process could not be started (ENOENT)');
    executor.close();
  });

  test('what a process of it starts while it is killed is not left either', async (t) => {
    const task = makeTask(t);
    const { ended } = await startStaying(t, task);
    const kill = process.kill.bind(process);
    let late: ChildProcess | undefined;
    t.mock.method(process, 'kill', (pid: number, signal: NodeJS.Signals) => {
      late ??= spawn(SLEEP, ['600'], { env: { [TASK_ID_VARIABLE]: `${task.id}-0` } });
      return kill(pid, signal);
    });
    const successor = createChildExecutor({ argv: ['true'], environment: {} });
    assert.deepEqual(await successor.adopt(task), { kind: 'gone' });
    assert.equal(await ended, 'SIGKILL ended the process');
    assert.ok(late?.pid);
    await untilDead(late.pid);
  });

  test('a kill ends the whole tree, what left its session too, and no other task', async (t) => {
    const task = makeTask(t);
    const [mine, other] = [await startStaying(t, task), await startStaying(t, makeTask(t))];
    assert.deepEqual(await mine.executor.kill(task), { ok: true, value: undefined });
    assert.equal(await mine.ended, 'SIGKILL ended the process');
    assert.deepEqual([isAlive(mine.said.pid), isAlive(mine.said.sleeper)], [false, false]);
    assert.deepEqual([isAlive(other.said.pid), isAlive(other.said.sleeper)], [true, true]);
    assert.deepEqual(await mine.executor.kill(task), { ok: true, value: undefined });
    other.executor.close();
    await other.ended;
  });

  test('a kill reaches what an earlier worker has started', async (t) => {
    const task = makeTask(t);
    const { said, ended } = await startStaying(t, task);
    const successor = createChildExecutor({ argv: ['true'], environment: {} });
    assert.deepEqual(await successor.kill(task), { ok: true, value: undefined });
    assert.equal(await ended, 'SIGKILL ended the process');
    assert.equal(isAlive(said.sleeper), false);
  });

  test('a kill reaches a process of its group that has shed its environment', async (t) => {
    const task = makeTask(t);
    const report = join(makeFolder(t), 'pid');
    const script = `env -i /bin/sleep 600 & echo $! > '${report}.new'; mv '${report}.new' '${report}'; wait`;
    const executor = createChildExecutor({
      argv: ['/bin/sh', '-c', script],
      environment: { PATH: '/usr/bin:/bin' },
    });
    const ended = executor.start(task);
    const pid = Number(await until('the report', 20_000, () => readReport(report)));
    defer(t, () => {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    });
    assert.deepEqual(await executor.kill(task), { ok: true, value: undefined });
    assert.equal(await ended, 'SIGKILL ended the process');
    await untilDead(pid);
  });

  test('the task of an earlier worker is never taken over, and nothing of it is left', async (t) => {
    const task = makeTask(t);
    const { said, ended } = await startStaying(t, task);
    const successor = createChildExecutor({ argv: ['true'], environment: {} });
    assert.deepEqual(await successor.adopt(task), { kind: 'gone' });
    assert.equal(await ended, 'SIGKILL ended the process');
    await untilDead(said.sleeper);
  });
});

describe('end task processes', () => {
  test('a grandchild in a session of its own is found, other tasks are not touched', async (t) => {
    const [mine, other] = [await startStaying(t, makeTask(t)), await startStaying(t, makeTask(t))];
    endTaskProcesses(TASK_ID_VARIABLE, mine.said.env[TASK_ID_VARIABLE] ?? '');
    await untilDead(mine.said.sleeper);
    await mine.ended;
    assert.deepEqual([isAlive(other.said.pid), isAlive(other.said.sleeper)], [true, true]);
    other.executor.close();
    await other.ended;
  });

  test("the beginning of another task's id is not its id", async (t) => {
    const { said, executor, ended } = await startStaying(t, makeTask(t));
    endTaskProcesses(TASK_ID_VARIABLE, said.env[TASK_ID_VARIABLE]?.slice(0, -1) ?? '');
    assert.equal(isAlive(said.sleeper), true);
    executor.close();
    assert.equal(await ended, 'the process exited with 7');
  });

  test("podman's pause process is spared, since all containers live in its namespace", async (t) => {
    const catatonit = join(makeFolder(t), 'catatonit');
    copyFileSync(SLEEP, catatonit);
    const { said, ended } = await startStaying(t, makeTask(t), catatonit);
    endTaskProcesses(TASK_ID_VARIABLE, said.env[TASK_ID_VARIABLE] ?? '');
    assert.equal(await ended, 'SIGKILL ended the process');
    assert.equal(isAlive(said.sleeper), true);
  });

  test('who cannot be killed in time is named', async (t) => {
    const { said, executor, ended } = await startStaying(t, makeTask(t));
    const kill = t.mock.method(process, 'kill', () => true);
    const id = said.env[TASK_ID_VARIABLE] ?? '';
    const killed = await endAllTaskProcesses(TASK_ID_VARIABLE, id, 50);
    kill.mock.restore();
    assert.ok(!killed.ok);
    assert.equal(killed.failure.code, 'TASK_NOT_KILLED');
    const pids = [said.pid, said.sleeper].sort((a, b) => a - b).join(', ');
    assert.ok(killed.failure.detail.includes(pids), killed.failure.detail);
    await executor.kill({ process: id } as TaskRow);
    await ended;
  });

  test('the caller itself is spared', (t) => {
    const [first] = readFileSync('/proc/self/environ', 'utf8').split('\0');
    const [name = '', ...value] = (first ?? '').split('=');
    const kill = t.mock.method(process, 'kill', () => true);
    endTaskProcesses(name, value.join('='));
    assert.ok(!kill.mock.calls.some(({ arguments: [pid] }) => pid === process.pid));
  });
});
