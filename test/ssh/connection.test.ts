import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { NOT_SHARED } from '../../app/host/ssh/client-arguments.ts';
import { openSshHost, type SshHost } from '../../app/host/ssh/ssh-host.ts';
import { formatEnd } from '../../shared/process/run-command.ts';
import { findProcesses } from '../helpers/processes.ts';
import { openHost } from '../helpers/ssh-client.ts';
import { makeKey, startSshHost } from '../helpers/ssh-host.ts';
import { until } from '../helpers/until.ts';

const LIMIT_MS = 30_000;
const lab = await startSshHost();
const hosts: SshHost[] = [];
after(() => lab.close());
afterEach(async () => {
  lab.unblock();
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

function open(...options: Partial<Parameters<typeof openHost>[1]>[]): SshHost {
  const host = openHost(lab, Object.assign({}, ...options));
  hosts.push(host);
  return host;
}

function sh(host: SshHost, script: string, ...words: string[]) {
  return host.run({ argv: ['sh', '-c', script, 'sh', ...words], timeoutMs: LIMIT_MS });
}

const mark = () => `marked-${randomBytes(6).toString('hex')}`;

async function isRunning(word: string): Promise<boolean> {
  return (await lab.exec(`pgrep -f ${word}`)).code === 0;
}
const hasStarted = (word: string) => until(`${word} runs`, LIMIT_MS, () => isRunning(word));
const hasEnded = (word: string) =>
  until(`${word} is over`, LIMIT_MS, async () => !(await isRunning(word)));

/** The clients that hold a connection of this file open. */
function findMasters(): number[] {
  const ours = findProcesses(lab.controlDir);
  return findProcesses('ControlMaster=yes').filter((pid) => ours.includes(pid));
}

/** A configuration that differs in one line from that of the lab. */
function changeConfig(key: string, value: string): { readonly options: readonly string[] } {
  const file = join(lab.folder, `config-${key}`);
  const changed = readFileSync(lab.sshConfigFile, 'utf8').replace(
    new RegExp(`^${key} .*$`, 'm'),
    `${key} ${value}`,
  );
  writeFileSync(file, changed);
  return { options: ['-F', file] };
}

describe('a connection that is cut', () => {
  test('ends the command that runs as connection-lost, here and there, and the next one opens another', async () => {
    const host = open();
    const word = mark();
    const running = sh(host, 'echo begun; sleep 1000; :', word);
    await hasStarted(word);
    const before = lab.accepted;
    lab.cut();
    const result = await running;
    assert.deepEqual(result.end, { kind: 'connection-lost', reason: 'lab2' });
    assert.match(formatEnd(result), /^sh -c .+ the connection was lost \(lab2\)\.$/);
    assert.equal(result.stdout, 'begun\n');
    assert.equal((await sh(host, 'echo again')).stdout, 'again\n');
    assert.equal(lab.accepted, before + 1);
    await hasEnded(word);
  });

  test('never makes a command run twice, whatever it says', async () => {
    const host = open();
    const word = mark();
    const script = `echo run >> "/tmp/$1"; echo ${NOT_SHARED} >&2; sleep 1000; :`;
    const running = sh(host, script, word);
    await until(
      'it has run',
      LIMIT_MS,
      async () => (await lab.exec(`cat /tmp/${word}`)).code === 0,
    );
    lab.cut();
    assert.equal((await running).end.kind, 'connection-lost');
    assert.equal((await lab.exec(`cat /tmp/${word}`)).stdout, 'run\n');
  });

  test('while nothing runs is not noticed by the next command', async () => {
    const host = open();
    assert.equal(await host.check(), null);
    lab.cut();
    assert.equal((await sh(host, 'echo again')).stdout, 'again\n');
  });

  test('and whose master was killed is opened again', async () => {
    const host = open();
    assert.equal(await host.check(), null);
    for (const pid of findMasters()) process.kill(pid, 'SIGKILL');
    assert.equal((await sh(host, 'echo again')).stdout, 'again\n');
  });
});

describe('a connection that falls silent', () => {
  test('is lost when nobody has answered for a while, and the next one is another', async () => {
    const host = open();
    const word = mark();
    const running = sh(host, 'sleep 1000; :', word);
    await hasStarted(word);
    const frozenAt = performance.now();
    lab.freeze();
    assert.deepEqual((await running).end, { kind: 'connection-lost', reason: 'lab2' });
    assert.ok(performance.now() - frozenAt < 20_000);
    assert.equal((await sh(host, 'echo again')).stdout, 'again\n');
    assert.ok(await isRunning(word), 'there nobody knows yet');
    lab.cut();
    await hasEnded(word);
  });

  test('does not keep a command beyond its limit and its grace', async () => {
    const host = open();
    assert.equal(await host.check(), null);
    lab.freeze();
    const result = await host.run({ argv: ['true'], timeoutMs: 500, killGraceMs: 500 });
    assert.deepEqual(result.end, { kind: 'timed-out' });
    assert.ok(result.durationMs < 6_000, `${result.durationMs} ms`);
  });
});

describe('a session that is refused', () => {
  test('starts nothing, and leaves alone what runs', async () => {
    const small = await startSshHost({ sshd: ['MaxSessions 2'] });
    try {
      const host = openHost(small);
      hosts.push(host);
      const stopper = new AbortController();
      const word = mark();
      const running = host.run({
        argv: ['sh', '-c', 'sleep 1000; :', word],
        timeoutMs: LIMIT_MS,
        signal: stopper.signal,
      });
      const isOn = async () => (await small.exec(`pgrep -f ${word}`)).code === 0;
      await until('it runs', LIMIT_MS, isOn);
      const { end } = await sh(host, 'echo too many');
      assert.match(
        end.kind === 'not-started' ? end.reason : end.kind,
        /^SSH_UNREACHABLE: lab2: .*Session open refused by peer/,
      );
      assert.ok(await isOn());
      stopper.abort();
      assert.deepEqual((await running).end, { kind: 'aborted' });
      assert.equal((await sh(host, 'echo again')).stdout, 'again\n');
      assert.equal(small.accepted, 1);
    } finally {
      await Promise.all(hosts.splice(0).map((host) => host.close()));
      await small.close();
    }
  });

  test('because the socket of the connection is gone takes another one, and leaves alone what runs', async () => {
    const host = open();
    const word = mark();
    const running = sh(host, 'while ! [ -e "$1" ]; do sleep 0.1; done; echo done', `/tmp/${word}`);
    await hasStarted(word);
    for (const name of readdirSync(lab.controlDir)) rmSync(join(lab.controlDir, name));
    assert.equal((await sh(host, 'echo again')).stdout, 'again\n');
    await lab.exec(`touch /tmp/${word}`);
    assert.equal((await running).stdout, 'done\n');
    await until('only the other one is left', LIMIT_MS, () => findMasters().length === 1);
  });
});

test('a command that is stopped while the host is logged in to does not wait for that', async () => {
  lab.block('hang');
  const host = open();
  const stopper = new AbortController();
  const running = host.run({ argv: ['true'], timeoutMs: LIMIT_MS, signal: stopper.signal });
  const asked = host.askHttp('http://localhost/', 300);
  await until('the client connects', LIMIT_MS, () => lab.open > 0);
  stopper.abort();
  assert.deepEqual((await running).end, { kind: 'aborted' });
  assert.equal('code' in (await asked), true);
});

describe('a host that cannot be logged in to', () => {
  // It would be the same path here, if ever a command ran on the wrong side.
  const file = `/tmp/podup-${randomBytes(4).toString('hex')}`;
  async function refuses(host: SshHost, said: RegExp): Promise<void> {
    const result = await host.run({ argv: ['touch', file], timeoutMs: LIMIT_MS });
    assert.equal(result.end.kind, 'not-started', JSON.stringify(result));
    const reason = result.end.kind === 'not-started' ? result.end.reason : '';
    assert.match(reason, /^SSH_UNREACHABLE: lab2: /);
    assert.match(reason, said);
    assert.ok(!existsSync(file), 'it must not run here');
    assert.equal((await lab.exec(`ls ${file}`)).code, 2, 'nor there');
    const failure = await host.check();
    assert.equal(failure?.code, 'SSH_UNREACHABLE');
    assert.match(failure?.detail ?? '', said);
  }

  test('because it closes the connection', async () => {
    lab.block();
    await refuses(open(), /[Cc]onnection (?:closed|reset)/);
  });

  test('because it does not answer, within the limit', async () => {
    lab.block('hang');
    const startedAt = performance.now();
    await refuses(open({ connectTimeoutMs: 1_000 }), /no login within 1000 ms/);
    // Twice: for the command and for the check.
    assert.ok(performance.now() - startedAt < 5_000);
  });

  test('because nobody listens', async () => {
    await refuses(open(changeConfig('Port', '1')), /Connection refused/);
  });

  test('because its key is another one', async () => {
    makeKey(join(lab.folder, 'other_key'));
    const known = join(lab.folder, 'other_hosts');
    const entry = `lab2 ${readFileSync(join(lab.folder, 'other_key.pub'), 'utf8')}`;
    writeFileSync(known, entry);
    await refuses(open(changeConfig('UserKnownHostsFile', known)), /Host key verification failed/);
    assert.equal(readFileSync(known, 'utf8'), entry);
  });

  test('because its key is not known', async () => {
    const known = join(lab.folder, 'no_hosts');
    writeFileSync(known, '');
    await refuses(open(changeConfig('UserKnownHostsFile', known)), /Host key verification failed/);
    assert.equal(readFileSync(known, 'utf8'), '');
  });

  test('because it does not know our key', async () => {
    makeKey(join(lab.folder, 'stranger'));
    await refuses(
      open(changeConfig('IdentityFile', join(lab.folder, 'stranger'))),
      /Permission denied/,
    );
  });

  test('because its login shell prints of its own', async () => {
    await lab.exec('echo "echo Welcome" > ~/.bashrc');
    try {
      await refuses(open(), /its login shell prints of its own: Welcome/);
    } finally {
      await lab.exec('rm ~/.bashrc');
    }
  });

  test('and can again afterwards', async () => {
    const host = open();
    lab.block();
    assert.equal((await host.check())?.code, 'SSH_UNREACHABLE');
    lab.unblock();
    assert.equal(await host.check(), null);
  });

  for (const target of ['-oProxyCommand=touch /tmp/podup-pwned', '', 'a b', '$(id)', 'a@-b'])
    test(`because ${JSON.stringify(target)} is no target`, () => {
      const opened = openSshHost({ target, controlDir: '/tmp/x', connectTimeoutMs: 1_000 });
      assert.equal(opened.ok ? '' : opened.failure.code, 'SSH_UNREACHABLE');
    });

  for (const controlDir of ['relative', `/${'x'.repeat(70)}`, '/a"b'])
    test(`because ${controlDir.slice(0, 20)} is no folder for its socket`, () => {
      const opened = openSshHost({ target: 'lab2', controlDir, connectTimeoutMs: 1_000 });
      assert.equal(opened.ok ? '' : opened.failure.code, 'SSH_UNREACHABLE');
    });
});

test('a folder for the socket may have a blank and a percent sign in its name', async (context) => {
  const controlDir = mkdtempSync('/tmp/podup %h-');
  context.after(() => rmSync(controlDir, { recursive: true }));
  assert.equal((await sh(open({ controlDir }), 'echo on')).stdout, 'on\n');
});

describe('the end', () => {
  test('of the connection ends what runs, and leaves no process and no socket', async () => {
    const host = open();
    const word = mark();
    const running = sh(host, 'sleep 1000; :', word);
    await hasStarted(word);
    const { controlDir } = lab;
    assert.ok(findProcesses(controlDir).length >= 2, 'the master and a session');
    await host.close();
    assert.deepEqual((await running).end, { kind: 'aborted' });
    assert.deepEqual(findProcesses(controlDir), []);
    assert.deepEqual(readdirSync(controlDir), []);
    assert.ok(!(await isRunning(word)));
    assert.equal((await sh(host, 'true')).end.kind, 'aborted');
    assert.equal((await host.check())?.code, 'SSH_UNREACHABLE');
  });

  test('of a connection that is being opened does not wait for it', async () => {
    lab.block('hang');
    const host = open();
    const checked = host.check();
    await until('the client connects', LIMIT_MS, () => lab.open > 0);
    await host.close();
    assert.equal((await checked)?.code, 'SSH_UNREACHABLE');
    assert.deepEqual(findProcesses(lab.controlDir), []);
  });

  test('of our process, by SIGKILL, ends the connection and what runs there', async () => {
    const word = mark();
    const user = join(import.meta.dirname, '../fixtures/ssh-user.ts');
    const child = spawn(process.execPath, [
      ...[user, lab.sshConfigFile, lab.target, lab.controlDir],
      ...['sh', '-c', 'sleep 1000; :', word],
    ]);
    await hasStarted(word);
    child.kill('SIGKILL');
    await hasEnded(word);
    await until('no client is left', LIMIT_MS, () => findProcesses(lab.controlDir).length === 0);
  });
});
