/**
 * `npm run demo`: the main job on a throw-away host (test/lab), told line by line: a push, its webhook, the new version
 * running; then what must not work, and a crash at the worst moment. Exits with 1 and the reason when anything is not
 * as told.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskDetailView } from '../app/api/views.ts';
import { command, countStarts, pushImage, served, startUnit } from '../test/helpers/lab.ts';
import { PATIENCE_MS, PROGRAM_FILE, Product } from '../test/helpers/product.ts';
import { until } from '../test/helpers/until.ts';
import { makeBody, makeHeaders, type Push, post } from '../test/helpers/webhook.ts';

const root = join(import.meta.dirname, '..');
const lab = join(root, 'test/lab');
const PORT = 8081;
const HOOK = '/github-package-update/web';

let steps = 0;
const step = (text: string) => console.log(`\n${String(++steps).padStart(2)}. ${text}`);
const show = (text: string) => console.log(`    ${text}`);

/** Stops the demo where the product does something else than what is told. */
function expect(isSo: boolean, reason: string): asserts isSo {
  if (!isSo) throw new Error(reason);
}

/** What this machine lacks for a lab; undefined where nothing is missing. */
function findObstacle(): string | undefined {
  if (!existsSync(PROGRAM_FILE)) return 'The program is not built. Run: npm run demo';
  if (process.getuid?.() !== 0) {
    return 'It needs root, for it makes namespaces and installs Debian packages. Run: sudo npm run demo';
  }
  if (spawnSync('apt-get', ['--version']).status !== 0) {
    return 'It needs Debian 12 or later (apt-get), for the host that it plays on is made of Debian packages.';
  }
  console.log(
    'Preparing a throw-away host (systemd, podman, a registry; the first time takes longer) …',
  );
  const setup = spawnSync(join(lab, 'setup'), { stdio: 'inherit' });
  if (setup.status !== 0) return 'test/lab/setup failed: the lines above say why.';
  return undefined;
}

/** Runs this very script inside a lab; its exit code. */
async function enterLab(): Promise<number> {
  const child = spawn(join(lab, 'run'), ['--', process.execPath, import.meta.filename], {
    cwd: root,
    stdio: 'inherit',
  });
  // The lab ends everything inside when it is told to end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

const becomes = (version: string) =>
  until(`web.service serves ${version}`, PATIENCE_MS, async () => (await served(PORT)) === version);

function showPush({ repository, tag, digest }: Push): void {
  show(`${repository}:${tag} is now ${digest}`);
}

/** The registry's report of a push, as GitHub would send it. */
function report(product: Product, push: Push) {
  const body = makeBody('registry_package', push);
  const headers = makeHeaders('registry_package', body);
  const url = `http://${product.address}${HOOK}`;
  const send = (over: Readonly<Record<string, string>> = {}) =>
    post(url, body, { ...headers, ...over });
  return { size: body.length, delivery: headers['x-github-delivery'], send };
}

function showAnswer({ status, answer }: Awaited<ReturnType<typeof post>>): void {
  show(`${status} ${JSON.stringify(answer)}`);
}

function showTask(task: TaskDetailView, { digest }: Push): void {
  const { status, digests } = task;
  expect(status === 'succeeded', `the task ended as ${status}: ${task.error?.detail ?? ''}`);
  for (const [what, value] of Object.entries({
    'the webhook said ': digests.webhook,
    'the registry says': digests.registry,
    'podman pulled    ': digests.pulled,
    'the unit runs    ': digests.running,
  })) {
    show(`${what}  ${value}`);
    expect(value === digest, `this is not the digest that was pushed, ${digest}`);
  }
  for (const { meta } of task.logs.filter(({ action }) => action === 'command')) {
    const { argv, duration_ms } = meta as { argv: string[]; duration_ms: number };
    const line = argv.join(' ');
    show(
      `${String(Math.round(duration_ms)).padStart(5)} ms  ${line.length > 100 ? `${line.slice(0, 99)}…` : line}`,
    );
  }
}

async function showDeployment(product: Product, push: Push) {
  const sent = report(product, push);
  const mark = product.lines.length;
  step(
    `The push is reported: POST ${HOOK}, ${sent.size} bytes, signed with the secret of the hook.`,
  );
  const postedAt = performance.now();
  const received = await sent.send();
  showAnswer(received);
  expect(received.status === 202, 'a good report was not accepted');
  await becomes('v2');
  const elapsedMs = Math.round(performance.now() - postedAt);
  const task = await product.ended(mark);
  step(
    `http://127.0.0.1:${PORT}/ serves v2, ${elapsedMs} ms after the POST. GET /api/tasks/${task.task_id}:`,
  );
  showTask(task, push);
  return sent;
}

async function showRefusals(sent: ReturnType<typeof report>): Promise<void> {
  step('Somebody who does not know the secret sends the same report.');
  const forged = await sent.send({ 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` });
  show(`${forged.status} ${forged.answer['code']}: ${forged.answer['title']}`);
  show(`hint: ${forged.answer['hint']}`);
  expect(forged.status === 401 && forged.answer['code'] === 'SIGNATURE_INVALID', 'it was let in');

  step(`The sender repeats its delivery ${sent.delivery}.`);
  const again = await sent.send();
  showAnswer(again);
  expect(again.status === 200 && again.answer['verdict'] === 'duplicate', 'it was taken for news');
}

async function showCrash(product: Product): Promise<void> {
  step('Version 3 is pushed and reported; the worker gets kill -9 as soon as it has said 202.');
  const push = pushImage('web:stable', 'v3');
  showPush(push);
  const sent = report(product, push);
  const mark = product.lines.length;
  const pid = product.workerPid;
  const postedAt = performance.now();
  const { status } = await sent.send();
  process.kill(pid, 'SIGKILL');
  expect(status === 202, `the report was answered with ${status}`);
  await product.ready(2);
  show(
    `worker ${pid} is dead, worker ${product.workerPid} serves; the socket was open all the time`,
  );
  await becomes('v3');
  show(
    `http://127.0.0.1:${PORT}/ serves v3, ${Math.round(performance.now() - postedAt)} ms after the POST`,
  );
  const task = await product.ended(mark);
  expect(task.status === 'succeeded', `the task ended as ${task.status}`);
  const tasks = (await product.tasks()).length;
  const starts = countStarts('web.service', 'v3');
  show(
    `tasks so far: ${tasks}; containers of v3 started: ${starts}. Nothing lost, nothing done twice.`,
  );
  expect(tasks === 2 && starts === 1, 'it should be two tasks, and one start of v3');
}

async function play(): Promise<void> {
  const [systemd = ''] = command('systemctl', '--version').split('\n');
  console.log(
    `A host of its own: ${systemd}, ${command('podman', '--version').trim()}, a registry.`,
  );

  step('Version 1 of an image is pushed.');
  showPush(pushImage('web:stable', 'v1'));

  step('A systemd unit of the user runs it.');
  startUnit('web', 'web:stable', PORT);
  await becomes('v1');
  show(`web.service is active, http://127.0.0.1:${PORT}/ serves v1`);

  step('pod-upgrade-trigger supervise, with a webhook secret, and PODUP_MANUAL_UNITS=web');
  await using product = await Product.start({ PODUP_MANUAL_UNITS: 'web' });
  const { supervisor, workerPid, address } = product;
  show(`supervisor ${supervisor.pid} holds http://${address}, worker ${workerPid} serves on it`);

  step('Version 2 is pushed under the same tag. By itself this changes nothing.');
  const push = pushImage('web:stable', 'v2');
  showPush(push);
  expect((await served(PORT)) === 'v1', 'the unit changed without a report');
  show(`http://127.0.0.1:${PORT}/ still serves v1`);

  const sent = await showDeployment(product, push);
  await showRefusals(sent);
  await showCrash(product);
}

function printNextSteps(): void {
  console.log(`
All as told. Try next:
  npm start                             serves on this machine, with its state in .state/
  test/lab/run bash                     the host of this demo, to play with: test/lab/README.md
  docs/configuration.md, docs/errors.md every setting, and every refusal with what to do about it`);
}

async function main(): Promise<number> {
  if (!process.env['LAB_DIR']) {
    const obstacle = findObstacle();
    if (obstacle === undefined) return enterLab();
    console.error(`The demo cannot run here. ${obstacle}`);
    return 1;
  }
  try {
    await play();
  } catch (error) {
    console.error(`\nThe demo stopped: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
  printNextSteps();
  return 0;
}

process.exit(await main());
