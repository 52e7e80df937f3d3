import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import {
  parseStagerNotice,
  type StagerNotice,
  type StagerOrder,
} from '../../../shared/contract/stager-messages.ts';
import { buildRelease, publish } from '../../helpers/release.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { fakeRelease, RUNS, serveReleases } from '../updates/release/release-fixture.ts';

const SCRIPT = join(import.meta.dirname, '../../../scripts/pod-upgrade-trigger.ts');

/** A folder where a program is installed, and an order for it. */
function makeTarget(folder: string): StagerOrder {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'program'), 'what runs');
  return makeOrder(join(bin, 'program'));
}

function makeOrder(target: string): StagerOrder {
  return {
    target,
    current: { version: '0.0.1', digest: RUNS, generation: null, tag: null, commit: null },
    tag: null,
    dryRun: false,
    force: false,
    quarantine: [],
    generationFloor: null,
    retained: null,
  };
}

type Environment = Readonly<Record<string, string>>;

/** What it needs of the environment of this process. */
function inherited(): NodeJS.ProcessEnv {
  const { PATH, NODE_V8_COVERAGE } = process.env;
  return { PATH, ...(NODE_V8_COVERAGE && { NODE_V8_COVERAGE }) };
}

function start(
  t: TestContext,
  environment: Environment,
  before: readonly string[] = [],
): ChildProcess {
  const [file = process.execPath, ...args] = [...before, process.execPath, SCRIPT, 'stage-release'];
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...inherited(), PODUP_STATE_DIR: makeTempFolder(t), ...environment },
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** Runs it to its end: everything on standard output has to be a notice, the last one no progress. */
async function finish(child: ChildProcess, input?: string) {
  child.stdin?.on('error', () => undefined).end(input);
  const { stdout, stderr } = child;
  assert.ok(stdout && stderr);
  const [out, errors] = [text(stdout), text(stderr)];
  const [code] = await once(child, 'close');
  const lines = (await out).trimEnd().split('\n');
  const notices = lines.map((line): StagerNotice => {
    const notice = parseStagerNotice(JSON.parse(line));
    assert.ok(notice, line);
    return notice;
  });
  assert.deepEqual(
    notices.map(({ kind }) => kind !== 'progress'),
    notices.map((_notice, index) => index === notices.length - 1),
  );
  return { code, notices, last: notices.at(-1), stderr: await errors };
}

/** The code of a failure that was said in good order. */
function failureCode({
  code,
  last,
}: {
  code: number | null;
  last: StagerNotice | undefined;
}): string {
  assert.equal(code, 0);
  assert.equal(last?.kind, 'failed');
  return last.failure.code;
}

describe('stage-release', () => {
  test('stages a real release, which then runs', async (t) => {
    const server = await serveReleases(t, { token: 'zgeheim-token' });
    const built = await buildRelease({
      version: '7.1.0',
      generation: 12,
      folder: join(server.folder, 'built'),
    });
    publish(server.folder, built);
    const order = makeTarget(server.folder);
    const run = await finish(
      start(t, {
        PODUP_RELEASE_REPOSITORY: server.repository,
        PODUP_RELEASE_API_URL: server.apiUrl,
        PODUP_RELEASE_TOKEN: 'zgeheim-token',
        PODUP_LOG_LEVEL: 'trace',
      }),
      JSON.stringify(order),
    );
    const { version, digest, tag, commit, generation } = built;
    assert.deepEqual(run.last, {
      kind: 'staged',
      release: { version, digest, tag, commit, generation },
    });
    assert.equal(run.code, 0);
    assert.doesNotMatch(JSON.stringify(run), /zgeheim/);
    const said = execFileSync(`${order.target}.new`, ['--version'], { encoding: 'utf8' });
    assert.equal(said, '7.1.0 (test)\n');
    assert.deepEqual(readdirSync(join(order.target, '..')), ['program', 'program.new']);
  });

  for (const [behaviour, said] of [
    ['self-check-fails', /exited with 1: broken on purpose/],
    ['wrong-version', undefined],
  ] as const) {
    test(`a real release with ${behaviour} ${said ? 'is refused' : 'gets as far as its trial'}`, async (t) => {
      const folder = makeTempFolder(t);
      const release = { version: '7.2.0', folder: join(folder, 'built'), break: behaviour };
      publish(join(folder, 'releases'), await buildRelease(release));
      const environment = { PODUP_RELEASE_BASE_URL: join(folder, 'releases') };
      const run = await finish(start(t, environment), JSON.stringify(makeTarget(folder)));
      if (!said) return assert.equal(run.last?.kind, 'staged');
      assert.equal(failureCode(run), 'RELEASE_SELF_CHECK_FAILED');
      assert.match(run.stderr, said);
      assert.ok(
        run.stderr
          .trimEnd()
          .split('\n')
          .every((line) => JSON.parse(line).name === 'stage-release'),
      );
    });
  }

  test('says failed where the settings are faulty, without their values', async (t) => {
    const run = await finish(start(t, { PODUP_RELEASE_TOKEN: 'zge' }), '{}');
    assert.equal(failureCode(run), 'CONFIG_INVALID');
    assert.match(JSON.stringify(run.last), /PODUP_RELEASE_TOKEN/);
    assert.doesNotMatch(JSON.stringify(run), /zge\b/);
  });

  for (const [title, input] of [
    ['nothing', ''],
    ['no order', '{"target":"/bin/program"}'],
    [
      'more than an order',
      JSON.stringify({ ...makeOrder('/bin/program'), more: 'x'.repeat(1_048_577) }),
    ],
  ] as const) {
    test(`says failed where ${title} comes`, async (t) => {
      assert.equal(failureCode(await finish(start(t, {}), input)), 'UPDATE_STAGING_FAILED');
    });
  }

  test('says that the disk is full where it turns out to be in the midst', async (t) => {
    const folder = makeTempFolder(t);
    publish(join(folder, 'releases'), fakeRelease(folder, { version: '1.0.0', bytes: 300_000 }));
    const environment = { PODUP_RELEASE_BASE_URL: join(folder, 'releases') };
    const child = start(t, environment, ['prlimit', '--fsize=100000']);
    const run = await finish(child, JSON.stringify(makeTarget(folder)));
    assert.equal(failureCode(run), 'UPDATE_DISK_FULL');
  });
});

describe('stage-release is stopped', () => {
  /** One that waits for the rest of a download. */
  async function stall(t: TestContext) {
    const server = await serveReleases(t);
    publish(server.folder, fakeRelease(server.folder, { version: '1.0.0', bytes: 300_000 }));
    server.misbehave({ kind: 'slow', afterBytes: 200_000, everyMs: 50 });
    const environment = { PODUP_RELEASE_BASE_URL: server.mirrorUrl };
    const order = makeTarget(server.folder);
    const partial = `${order.target}.partial`;
    const begun = () =>
      until(
        'most has come',
        20_000,
        () => existsSync(partial) && statSync(partial).size >= 200_000,
      );
    return { environment, order, partial, begun };
  }

  test('by SIGTERM soon, and leaves what has come', async (t) => {
    const { environment, order, partial, begun } = await stall(t);
    const child = start(t, environment);
    const finished = finish(child, JSON.stringify(order));
    await begun();
    const startedAt = performance.now();
    child.kill('SIGTERM');
    assert.equal(failureCode(await finished), 'UPDATE_CANCELLED');
    assert.ok(performance.now() - startedAt < 1_500);
    assert.ok(existsSync(`${partial}.json`) && statSync(partial).size >= 200_000);
  });

  test('by SIGTERM before the order has come', async (t) => {
    const { environment } = await stall(t);
    const child = start(t, { ...environment, PODUP_LOG_LEVEL: 'trace' });
    const pid = String(child.pid);
    await until('it listens to signals', 10_000, () => catchesHangUp(pid));
    child.kill('SIGTERM');
    const { stdout } = child;
    assert.ok(stdout);
    assert.match(await text(stdout), /^\{"kind":"failed","failure":\{"code":"UPDATE_CANCELLED"/);
    assert.equal(child.exitCode ?? (await once(child, 'exit'))[0], 0);
  });

  test('by nobody listening any more', async (t) => {
    const { environment, order, begun } = await stall(t);
    const child = start(t, environment);
    child.stdin?.end(JSON.stringify(order));
    await begun();
    child.stdout?.destroy();
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });

  test('by the end of the supervisor that has started it', async (t) => {
    const { environment, order, begun } = await stall(t);
    const folder = makeTempFolder(t);
    const [input, output, pidFile] = ['order', 'output', 'pid'].map((name) => join(folder, name));
    assert.ok(input && output && pidFile);
    writeFileSync(input, JSON.stringify(order));
    const script = '"$@" < order > output 2> /dev/null & echo $! > pid; wait';
    const shell = spawn('sh', ['-c', script, 'sh', process.execPath, SCRIPT, 'stage-release'], {
      cwd: folder,
      stdio: 'ignore',
      env: { ...inherited(), PODUP_STATE_DIR: folder, ...environment },
    });
    await begun();
    const pid = readFileSync(pidFile, 'utf8').trim();
    shell.kill('SIGKILL');
    await until('it ends', 5_000, () => !existsSync(`/proc/${pid}`));
    assert.match(readFileSync(output, 'utf8'), /"kind":"failed".*UPDATE_CANCELLED/);
  });
});

/** Whether a process sees to SIGHUP itself (proc_pid_status(5)); to SIGTERM Node does from the start. */
function catchesHangUp(pid: string): boolean {
  const mask = /^SigCgt:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (BigInt(`0x${mask ?? '0'}`) & 1n) !== 0n;
}
