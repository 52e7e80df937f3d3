import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { importTimerRuns } from '../../app/tasks/watch-timer-runs.ts';
import { keepLog } from '../app/http/http-fixture.ts';
import { pushImage, startUnit } from '../helpers/lab.ts';
import { systemctl, untilServed } from '../helpers/lab-units.ts';
import { until } from '../helpers/until.ts';
import { onHost, openSharedStore } from './host-fixture.ts';

const UNIT = 'podman-auto-update.service';

/** Looks once; what was told of each run. */
async function look() {
  const store = openSharedStore();
  const told: { invocation: string; summary: string; task: string | undefined }[] = [];
  const isDone = await importTimerRuns(
    {
      ...{ store, run: onHost, log: keepLog().log, unit: UNIT },
      onRun: (invocation, summary, task) => told.push({ invocation, summary, task }),
    },
    Date.now() - 3_600_000,
  );
  assert.equal(isDone, true);
  return told;
}

/** The journal has what a unit said a moment after its end. */
const found = () =>
  until('the run is in the journal', 20_000, async () => {
    const told = await look();
    return told.length > 0 && told;
  });

describe("a run of podman's own timer", () => {
  test('is recorded once, with what podman says of each container', async () => {
    const store = openSharedStore();
    pushImage('timed:stable', 'v1');
    startUnit('timed', 'timed:stable', 8951);
    await untilServed(8951, 'v1');
    assert.deepEqual(await look(), []);
    systemctl('start', UNIT);
    const [quiet, ...more] = await found();
    assert.deepEqual([more, quiet?.task], [[], undefined]);
    assert.match(quiet?.summary ?? '', /1 with nothing new/);
    pushImage('timed:stable', 'v2');
    systemctl('start', UNIT);
    await untilServed(8951, 'v2');
    const [run, ...others] = await found();
    assert.deepEqual(others, []);
    const task = store.tasks.find(run?.task ?? '');
    assert.deepEqual(
      [task?.status, task?.trigger_source, task?.unit],
      ['succeeded', 'podman-timer', UNIT],
      JSON.stringify(task),
    );
    assert.match(task?.summary ?? '', /1 updated \(timed\.service\)/);
    const [entry] = store.taskLogs.listByTask(task?.id ?? '');
    assert.equal(entry?.action, 'auto-update-result');
    assert.deepEqual(await look(), []);
  });
});
