import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TaskDetailView } from '../../app/api/views.ts';
import { command, countStarts, pushImage, served, startUnit } from '../helpers/lab.ts';
import { startUnits, systemctl, untilServed } from '../helpers/lab-units.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';

type Begun = { readonly status: string; readonly task_id: string; readonly batch_id: string };

/** Everything of the host that an update could change. */
const world = () => [
  command('podman', 'image', 'ls', '--all', '--no-trunc', '--digests'),
  command('podman', 'ps', '--all', '--no-trunc', '--format', '{{.ID}} {{.Names}}'),
  systemctl('show', '--property=InvocationID,NRestarts', 'web.service', 'sick.service'),
];

/** Has a unit pull at each start: podman updates it, and this program cannot look after it. */
function pullItself(unit: string): void {
  const [source, fragment] = ['SourcePath', 'FragmentPath'].map((name) =>
    systemctl('show', '--value', '-P', name, unit),
  );
  const pattern = 's/podman run /podman run --pull=always /; s/^Image=/Pull=always\\nImage=/';
  command('sed', '-i', pattern, source === '' ? (fragment ?? '') : (source ?? ''));
  systemctl('daemon-reload');
  systemctl('restart', unit);
}

const containerOf = (name: string) =>
  command('podman', 'ps', '--no-trunc', '-qf', `name=^${name}$`).trim();

describe("podman's auto-update", () => {
  let product: Product;
  before(async () => {
    for (const name of ['web', 'sick', 'other']) pushImage(`${name}:stable`, 'v1');
    startUnit('web', 'web:stable', 8101);
    startUnit('sick', 'sick:stable', 8102, '--sdnotify', 'container', '--timeout', '5');
    startUnit('other', 'other:stable', 8103);
    const needs = '[Unit]\nRequires=sick.service\nAfter=sick.service\n';
    const sleep = '[Service]\nExecStart=/bin/sleep infinity\n';
    startUnits({ 'needs.service': needs + sleep }, 'needs.service');
    for (const port of [8101, 8102, 8103]) await untilServed(port, 'v1');
    pullItself('other.service');
    await untilServed(8103, 'v1');
    product = await Product.start({ PODUP_MANUAL_UNITS: 'web,sick', PODUP_TASK_CONCURRENCY: '2' });
  });
  after(() => product[Symbol.asyncDispose]());

  /** Begins a run and waits until it, and all that came of it, has ended. */
  async function run(body: object = {}) {
    const mark = product.lines.length;
    const { status, body: begun } = await product.post<Begun>('/api/manual/auto-update/run', body);
    assert.equal(status, 202, JSON.stringify(begun));
    await product.logged(({ msg, task }) => msg === 'task ended' && task === begun.task_id, mark);
    const listed = await product.api<{ tasks: TaskDetailView[] }>(
      `/api/tasks?batch=${begun.batch_id}&limit=100`,
    );
    const open = listed.tasks.filter(({ status: now }) => now === 'pending' || now === 'running');
    for (const { task_id: id } of open) {
      await product.logged(({ msg, task }) => msg === 'task ended' && task === id, mark);
    }
    const all = await Promise.all(listed.tasks.map(({ task_id: id }) => product.task(id)));
    const parent = all.find(({ task_id: id }) => id === begun.task_id);
    assert.ok(parent);
    const of = (unit: string) => all.find((one) => one.unit === unit);
    return { parent, of, all };
  }

  const results = (task: TaskDetailView) =>
    task.logs
      .filter(({ action, meta }) => action === 'auto-update-result' && meta !== null)
      .map(({ meta }) => meta as { unit: string; updated: string });

  test('in a dry run only looks: nothing is pulled, started or restarted', async () => {
    pushImage('web:stable', 'v2');
    pushImage('other:stable', 'v2');
    const before = world();
    const starts = systemctl('show', '-P', 'InvocationID', 'podman-auto-update.service');
    const { parent, all } = await run({ dry_run: true });
    assert.equal(parent.status, 'succeeded', JSON.stringify(parent));
    assert.equal(all.length, 1);
    assert.deepEqual(world(), before);
    assert.equal(systemctl('show', '-P', 'InvocationID', 'podman-auto-update.service'), starts);
    const said = new Map(results(parent).map(({ unit, updated }) => [unit, updated]));
    assert.deepEqual(
      [said.get('web.service'), said.get('sick.service'), said.get('other.service')],
      ['pending', 'false', 'pending'],
    );
    const argvs = parent.logs.flatMap(
      ({ meta }) => (meta as { argv?: string[] } | null)?.argv ?? [],
    );
    assert.ok(!argvs.includes('start') && !argvs.includes('restart') && !argvs.includes('pull'));
  });

  test('updates what has something new, and proves each unit that it can look after', async () => {
    const { parent, of } = await run({ caller: 'ci', reason: 'nightly' });
    assert.equal(parent.status, 'succeeded', JSON.stringify(parent));
    await untilServed(8101, 'v2');
    await untilServed(8103, 'v2');
    const web = of('web.service');
    assert.equal(web?.status, 'succeeded', JSON.stringify(web));
    assert.deepEqual([web.kind, web.trigger.source], ['internal', 'auto-update']);
    assert.match(web.trigger.caller ?? '', /^token:PODUP_TOKEN at \S+, as ci$/);
    assert.equal(web.trigger.reason, 'nightly');
    assert.ok(web.logs.some(({ action, summary }) => action === 'gate' && /soak/.test(summary)));
    const other = of('other.service');
    assert.deepEqual(
      [other?.status, other?.logs.some(({ action }) => action === 'gate')],
      ['succeeded', false],
    );
    assert.match(other?.summary ?? '', /Nothing was proven/);
    assert.equal(of('sick.service'), undefined);
  });

  test('goes on when its process is killed in the middle of it', async () => {
    pushImage('web:stable', 'v2b', '--pad', '150');
    const mark = product.lines.length;
    const { body } = await product.post<Begun>('/api/manual/auto-update/run', {});
    const { task_id: id, batch_id: batch } = body;
    await until('podman runs', PATIENCE_MS, async () => {
      return (await product.task(id)).phase === 'restarting';
    });
    // Whichever process has taken it on.
    const listed = systemctl('list-units', '--plain', '--no-legend', 'podup-task-*');
    const units = listed.split('\n').map((line) => line.split(' ', 1)[0] ?? '');
    systemctl('kill', '--signal=KILL', ...units);
    await product.logged(({ msg }) => msg === 'task begins again', mark);
    await untilServed(8101, 'v2b');
    const tasks = await until('all has ended', PATIENCE_MS, async () => {
      const { tasks: all } = await product.api<{ tasks: TaskDetailView[] }>(
        `/api/tasks?batch=${batch}`,
      );
      return all.every(({ finished_at: at }) => at !== null) && all;
    });
    const parent = tasks.find(({ task_id: one }) => one === id);
    assert.deepEqual([parent?.status, parent?.attempts], ['succeeded', 2], JSON.stringify(tasks));
    // Of the first attempt and, where that had not come to it yet, of the second.
    const web = tasks.filter(({ unit }) => unit === 'web.service');
    assert.ok(
      web.length > 0 && web.every(({ status }) => status === 'succeeded'),
      JSON.stringify(web),
    );
    assert.equal(await served(8101), 'v2b');
  });

  test('brings back a unit that podman calls updated and that does not serve, once', async () => {
    const push = pushImage('web:stable', 'v3', '--broken');
    const { parent, of } = await run();
    const said = results(parent).filter(({ unit }) => unit === 'web.service');
    assert.equal(said.at(-1)?.updated, 'true');
    const web = of('web.service');
    assert.equal(web?.status, 'failed', JSON.stringify(web));
    assert.match(web.error?.code ?? '', /^GATE_/);
    await untilServed(8101, 'v2b');
    const listed = await product.api<{ images: { unit: string; digest: string }[] }>(
      '/api/quarantine',
    );
    assert.deepEqual(
      listed.images.map(({ unit, digest }) => [unit, digest]),
      [['web.service', push.digest]],
    );
    const [starts, container] = [countStarts('web.service', 'v3'), containerOf('web')];
    const again = await run();
    assert.equal(again.of('web.service'), undefined);
    assert.deepEqual([countStarts('web.service', 'v3'), containerOf('web')], [starts, container]);
    assert.equal(await served(8101), 'v2b');
  });

  test('records what podman rolls back, brings back what needs the unit, and tries it once', async () => {
    // Never ready: podman notices that by itself.
    const push = pushImage('sick:stable', 'v2', '--broken');
    const { parent, of } = await run();
    const said = results(parent).filter(({ unit }) => unit === 'sick.service');
    assert.equal(said.at(-1)?.updated, 'rolled back');
    assert.deepEqual([parent.status, parent.error?.code], ['failed', 'AUTO_UPDATE_FAILED']);
    const sick = of('sick.service');
    assert.deepEqual(
      [sick?.status, sick?.error?.code],
      ['failed', 'AUTO_UPDATE_ROLLED_BACK'],
      JSON.stringify(sick),
    );
    await untilServed(8102, 'v1');
    assert.equal(systemctl('is-active', 'needs.service'), 'active');
    const listed = await product.api<{ images: { unit: string; digest: string }[] }>(
      '/api/quarantine',
    );
    assert.ok(listed.images.some(({ digest }) => digest === push.digest));
    const starts = countStarts('sick.service', 'v2');
    await run();
    assert.equal(countStarts('sick.service', 'v2'), starts);
  });

  test('is not begun a second time while it waits or runs', async () => {
    const calls = Array.from({ length: 4 }, () =>
      product.post<Begun>('/api/manual/auto-update/run', {}),
    );
    const answers = await Promise.all(calls);
    const ids = new Set(answers.map(({ body }) => body.task_id));
    assert.equal(ids.size, 1);
    assert.deepEqual(answers.map(({ body }) => body.status).sort(), [
      ...['already-running', 'already-running', 'already-running'],
      'pending',
    ]);
    const [id = ''] = ids;
    await product.logged(({ msg, task }) => msg === 'task ended' && task === id);
    const mark = product.lines.length;
    const next = await product.post<Begun>('/api/manual/auto-update/run', {});
    assert.equal(next.body.status, 'pending');
    await product.logged(
      ({ msg, task }) => msg === 'task ended' && task === next.body.task_id,
      mark,
    );
  });
});
