import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { TaskDetailView } from '../../app/api/views.ts';
import { pushImage, served, startUnit } from '../helpers/lab.ts';
import { findProcesses } from '../helpers/processes.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, post } from '../helpers/webhook.ts';

const PORT = 8081;

const untilServed = (version: string) =>
  until(version, PATIENCE_MS, async () => (await served(PORT)) === version);

describe('a person stops a task by the API', () => {
  before(async () => {
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', PORT);
    await untilServed('v1');
  });

  for (const executor of ['systemd-run', 'child']) {
    test(`that runs by ${executor}: the old image serves again, and who it was is recorded`, async () => {
      await using product = await Product.start({
        PODUP_MANUAL_UNITS: 'web',
        PODUP_DEPLOY_SOAK_MS: '4000',
        PODUP_TASK_EXECUTOR: executor,
      });
      const body = makeBody('registry_package', pushImage('web:stable', `v2-${executor}`));
      const url = `http://${product.address}/github-package-update/web`;
      assert.equal((await post(url, body, makeHeaders('registry_package', body))).status, 202);
      await untilServed(`v2-${executor}`);
      const id = (await product.tasks())[0]?.task_id ?? '';
      const stopped = await product.post<TaskDetailView>(`/api/tasks/${id}/stop`);
      assert.equal(stopped.status, 202);
      const task = await product.ended();
      assert.equal(task.status, 'cancelled', JSON.stringify(task));
      assert.match(task.summary, /was put back to sha256:/);
      assert.equal(task.attempts, 1);
      assert.ok(
        task.logs.some(({ summary }) => summary === 'Stopped by token:PODUP_TOKEN at 127.0.0.1.'),
      );
      await untilServed('v1');
      const again = await product.post<{ code: string }>(`/api/tasks/${id}/stop`);
      assert.deepEqual([again.status, again.body.code], [409, 'TASK_ENDED']);
    });
  }
});

describe('a person force-stops a task by the API', () => {
  for (const executor of ['systemd-run', 'child']) {
    test(`that runs by ${executor}: nothing of it is left, and the next deployment works`, async () => {
      await using product = await Product.start({
        PODUP_MANUAL_UNITS: 'web',
        PODUP_DEPLOY_SOAK_MS: '4000',
        PODUP_TASK_EXECUTOR: executor,
      });
      const push = async (version: string) => {
        const body = makeBody('registry_package', pushImage('web:stable', version));
        const url = `http://${product.address}/github-package-update/web`;
        const headers = makeHeaders('registry_package', body);
        assert.equal((await post(url, body, headers)).status, 202);
      };
      await push(`cut-${executor}`);
      // The unit was restarted, and is not proven yet.
      await untilServed(`cut-${executor}`);
      const [running] = await product.tasks();
      const id = running?.task_id ?? '';
      const { status, body: task } = await product.post<TaskDetailView>(
        `/api/tasks/${id}/force-stop`,
      );
      assert.deepEqual([status, task.status], [202, 'cancelled'], JSON.stringify(task));
      assert.equal(task.error?.code, 'TASK_FORCE_STOPPED');
      assert.deepEqual(findProcesses(id), []);
      const [, held = ''] = /--to (localhost\/\S+) brings it back/.exec(task.summary) ?? [];
      assert.match(held, /^localhost\/podup\/rollback:web\.service-\d+$/);
      assert.deepEqual((await product.api<{ images: [] }>('/api/quarantine')).images, []);

      const back = await product.post<{ task_id: string }>('/api/deployments', {
        ...{ unit: 'web', version: held },
      });
      const backTask = await endOf(product, back.body.task_id);
      assert.equal(backTask.status, 'succeeded', JSON.stringify(backTask));
      await untilServed('v1');

      const retried = await product.post<TaskDetailView>(`/api/tasks/${id}/retry`);
      assert.equal(retried.status, 202);
      const again = await endOf(product, retried.body.task_id);
      assert.deepEqual([again.status, again.retry_of], ['succeeded', id], JSON.stringify(again));
      await untilServed(`cut-${executor}`);
      const undo = await product.post<{ task_id: string }>('/api/deployments', {
        ...{ unit: 'web', version: held },
      });
      assert.equal((await endOf(product, undo.body.task_id)).status, 'succeeded');
      await untilServed('v1');
    });
  }
});

function endOf(product: Product, id: string): Promise<TaskDetailView> {
  return until(`the end of ${id}`, PATIENCE_MS, async () => {
    const task = await product.task(id);
    return ['pending', 'running'].includes(task.status) ? undefined : task;
  });
}
