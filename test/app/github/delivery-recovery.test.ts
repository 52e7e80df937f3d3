import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GithubApi, startGithubApi } from '../../helpers/github-api.ts';
import { serveWorker, type ServingWorker as Worker } from '../../helpers/serve-worker.ts';
import { until } from '../../helpers/until.ts';
import { container, published } from '../domain/package-body.ts';
import { ask, askAdmin, deliver, makeFolder, TOKEN } from '../http/http-fixture.ts';

const GITHUB_TOKEN = 'github_pat_zgeheim';
const PUSH = JSON.stringify(
  published(container(), { repository: { full_name: 'octo-org/hello' } }),
);
/** What GitHub says of the hook, with each delivery. */
const OF_HOOK = {
  'x-github-hook-id': '5',
  'x-github-hook-installation-target-type': 'repository',
};
const listOf = async ({ port }: Worker, path: string, key: string) =>
  (await askAdmin(port, path)).json[key] as Record<string, unknown>[];

const again = ({ asked }: GithubApi) => asked.filter(({ what }) => what.startsWith('POST '));

async function readMetric({ port }: Worker): Promise<string | undefined> {
  const { text } = await ask(port, {
    path: '/metrics',
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  return /^podup_missed_deliveries_total\{found_by="github"\} (\d+)$/m.exec(text)?.[1];
}

/** The log of the last look for missed deliveries. */
async function readLook(worker: Worker): Promise<string> {
  const tasks = await listOf(worker, '/api/tasks', 'tasks');
  const look = tasks.find(({ unit }) => unit === 'pod-upgrade-trigger');
  return look ? (await askAdmin(worker.port, `/api/tasks/${look['task_id']}`)).text : '';
}

/** Has the job done now. */
async function runJob({ port }: Worker): Promise<void> {
  const ran = await ask(port, {
    ...{ method: 'POST', path: '/api/schedule/missed-deliveries/run', body: '{}' },
    headers: {
      ...{ authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      'content-length': '2',
    },
  });
  assert.equal(ran.status, 202, ran.text);
}

test('a delivery that failed while nothing ran is asked for again once, and arrives', async (t) => {
  const folder = makeFolder(t);
  const github = await startGithubApi(t, GITHUB_TOKEN);
  const settings = { PODUP_GITHUB_TOKEN: GITHUB_TOKEN, PODUP_GITHUB_API_URL: github.url };
  const first = await serveWorker(t, folder, settings);
  assert.equal((await deliver(first.port, 'web', PUSH, OF_HOOK)).status, 202);
  await until('the hook is learned', 30_000, async () => {
    const all = await listOf(first, '/api/deliveries', 'deliveries');
    return all.length === 1;
  });
  assert.deepEqual(github.asked, [], 'there was no hook to ask for');
  await first.stop();

  const at = Date.now();
  github.hooks.set('/repos/octo-org/hello/hooks/5', [
    { id: '9007199254740995', guid: 'lost', at, status: 502, event: 'package' },
    { id: '9007199254740993', guid: 'good', at: at - 1_000, status: 202, event: 'package' },
  ]);
  const { promise: listening, resolve } = Promise.withResolvers<number>();
  const answers: Promise<number>[] = [];
  github.onAgain = (_hook, { guid }) => {
    const headers = { ...OF_HOOK, 'x-github-delivery': guid };
    answers.push(
      listening.then(async (port) => (await deliver(port, 'api', PUSH, headers)).status),
    );
  };
  const second = await serveWorker(t, folder, settings);
  resolve(second.port);
  await until('it has arrived', 30_000, async () => (await readMetric(second)) === '1');
  assert.deepEqual(await Promise.all(answers), [202]);
  const arrived = await listOf(second, '/api/deliveries', 'deliveries');
  assert.ok(arrived.some(({ delivery, unit }) => delivery === 'lost' && unit === 'api.service'));
  await until('its log', 30_000, async () => /lost of octo-org/.test(await readLook(second)));
  const events = await listOf(second, '/api/events?action=delivery-asked-again', 'events');
  assert.equal(events.length, 1);

  // The next look reads it again and leaves it.
  const asked = github.asked.length;
  await runJob(second);
  await until('the next look', 30_000, async () => github.asked.length > asked);
  await until('its end', 30_000, async () =>
    /0 deliveries were asked for again/.test(await readLook(second)),
  );
  assert.equal(again(github).length, 1);
  await second.stop();
  assert.deepEqual(github.faults, []);
  assert.doesNotMatch(JSON.stringify([first.lines, second.lines]), /zgeheim/);
});

test('a hook of the settings is asked for before anything has come, and not where it is off', async (t) => {
  const github = await startGithubApi(t, GITHUB_TOKEN);
  github.hooks.set('/orgs/acme/hooks/6', []);
  const settings = {
    ...{ PODUP_GITHUB_TOKEN: GITHUB_TOKEN, PODUP_GITHUB_API_URL: github.url },
    PODUP_GITHUB_HOOKS: 'orgs/acme/6',
  };
  const off = await serveWorker(t, makeFolder(t), {
    ...settings,
    PODUP_MISSED_DELIVERIES_CRON: 'off',
  });
  // A unit that deliveries are expected for, so that the job has something to do.
  await deliver(off.port, 'web', PUSH);
  await until('the delivery is there', 30_000, async () => {
    return (await listOf(off, '/api/deliveries', 'deliveries')).length === 1;
  });
  await runJob(off);
  await until('it has ended', 30_000, async () => /task-ended/.test(await readLook(off)));
  await off.stop();
  assert.deepEqual(github.asked, []);
  const on = await serveWorker(t, makeFolder(t), settings);
  await until('it is asked', 30_000, async () =>
    /Of 1 hooks of GitHub 0 deliveries/.test(await readLook(on)),
  );
  assert.equal(github.asked.length, 1);
  assert.deepEqual(github.faults, []);
});

test('GitHub is asked by the clock, too', async (t) => {
  const github = await startGithubApi(t, GITHUB_TOKEN);
  github.hooks.set('/repos/o/r/hooks/5', []);
  const worker = await serveWorker(t, makeFolder(t), {
    ...{ PODUP_GITHUB_TOKEN: GITHUB_TOKEN, PODUP_GITHUB_API_URL: github.url },
    ...{ PODUP_GITHUB_HOOKS: 'o/r/5', PODUP_MISSED_DELIVERIES_CRON: '* * * * * *' },
  });
  await until('it is asked again', 30_000, async () => github.asked.length > 1);
  await worker.stop();
  assert.deepEqual(github.faults, []);
});

test('a worker ends while GitHub does not answer', async (t) => {
  const github = await startGithubApi(t, GITHUB_TOKEN);
  github.other = () => ({ status: 200, isSlow: true });
  const settings = {
    ...{ PODUP_GITHUB_TOKEN: GITHUB_TOKEN, PODUP_GITHUB_API_URL: github.url },
    PODUP_GITHUB_HOOKS: 'o/r/5',
  };
  const worker = await serveWorker(t, makeFolder(t), settings);
  await until('it is asked', 30_000, async () => github.asked.length === 1);
  await worker.stop();
  assert.doesNotMatch(JSON.stringify(worker.lines), /could not be asked/);
});
