import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { generateApi } from 'swagger-typescript-api';
import type { PlanView } from '../../app/api/deployment-views.ts';
import type { TaskDetailView } from '../../app/api/views.ts';
import { pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, Product, TOKEN } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';

const PORT = 8081;

/** What is called of the client: the names are those that the generator has made of the document. */
type Client = {
  readonly api: {
    postDeployments(body: object): Promise<{ data: PlanView & { task_id: string } }>;
    getTasksId(id: string): Promise<{ data: TaskDetailView }>;
    getTasks(query: object): Promise<{ data: { tasks: readonly TaskDetailView[] } }>;
  };
};

type ClientModule = { readonly Api: new (options: object) => Client };

describe('a client that is generated from the description of the API', () => {
  let product: Product;
  let folder: string;
  let client: Client;
  before(async () => {
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', PORT);
    await until('v1', PATIENCE_MS, async () => (await served(PORT)) === 'v1');
    product = await Product.start({ PODUP_MANUAL_UNITS: 'web' });
    folder = mkdtempSync(join(tmpdir(), 'podup-client-'));
    const answer = await fetch(`http://${product.address}/openapi.json`);
    await generateApi({
      spec: (await answer.json()) as never,
      output: folder,
      fileName: 'client.ts',
      generateUnionEnums: true,
      silent: true,
    });
    const { Api } = (await import(join(folder, 'client.ts'))) as ClientModule;
    client = new Api({
      baseUrl: `http://${product.address}`,
      baseApiParams: { headers: { Authorization: `Bearer ${TOKEN}` } },
    });
  });
  after(async () => {
    await product?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('looks at the plan of a deployment, has it carried out, and follows it to its end', async () => {
    const { digest } = pushImage('web:stable', 'v2');
    const { data: plan } = await client.api.postDeployments({ unit: 'web', dry_run: true });
    assert.deepEqual([plan.outcome, plan.wanted_digest], ['deploy', digest]);
    const { data: started } = await client.api.postDeployments({ plan_id: plan.plan_id });
    const task = await until('the end of the task', PATIENCE_MS, async () => {
      const { data } = await client.api.getTasksId(started.task_id);
      return data.finished_at === null ? undefined : data;
    });
    assert.deepEqual([task.status, task.digests.running], ['succeeded', digest]);
    await until('v2', PATIENCE_MS, async () => (await served(PORT)) === 'v2');
    const { data: page } = await client.api.getTasks({ status: 'succeeded', unit: 'web.service' });
    assert.deepEqual(
      page.tasks.map(({ task_id }) => task_id),
      [started.task_id],
    );
  });

  test('is told of a refusal by the code of its problem', async () => {
    await assert.rejects(client.api.postDeployments({ unit: 'sshd' }), (refusal) => {
      const { status, error } = refusal as { status: number; error: { code: string } };
      assert.deepEqual([status, error.code], [404, 'UNIT_NOT_CONFIGURED']);
      return true;
    });
  });
});
