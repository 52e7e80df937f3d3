import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { BoundSocket } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeProgram } from '../helpers/executable.ts';
import { until } from '../helpers/until.ts';
import { makeInstalled } from './installed-program.ts';
import { startProgram, startSupervisor } from './supervisor-process.ts';

const TOLD = { PODUP_HANDOVER: 'socket=0' };

describe('supervise: a socket that was handed over', { concurrency: true }, () => {
  test('is taken from descriptor 0, and its worker serves on it', async (t) => {
    const given = new BoundSocket({ host: '127.0.0.1', port: 0 });
    t.after(() => given.close());
    const supervisor = startSupervisor(t, ['serve.ts'], TOLD, {
      stdio: [given.fd(), 'pipe', 'pipe'],
    });
    const serving = await supervisor.next('serving');
    const response = await fetch(`http://127.0.0.1:${given.address().port}/`);
    assert.equal(await response.text(), String(serving['pid']));
  });

  test('is of no use where it is none', async (t) => {
    const supervisor = startSupervisor(t, ['serve.ts'], TOLD);
    const { code, stderr } = await supervisor.ended();
    await supervisor.silent;
    assert.equal(code, 69);
    assert.match(stderr, /SOCKET_UNAVAILABLE: .*Descriptor 0, which was handed over, is no socket/);
  });

  test('is nothing that children are told of, not even to explain a fault', async (t) => {
    const { folder, program, start } = makeInstalled(t);
    const seen = join(folder, 'seen');
    const look = `echo "$1 $PODUP_HANDOVER." >> '${seen}'`;
    makeProgram(program.target, {
      supervise: readFileSync(program.target, 'utf8'),
      'http-server': `${look}; exit 78`,
      'check-config': look,
    });
    const given = new BoundSocket({ host: '127.0.0.1', port: 0 });
    t.after(() => given.close());
    const environment = {
      PODUP_STATE_DIR: join(folder, 'state'),
      PODUP_TARGET_BIN: program.target,
      ...TOLD,
    };
    const supervisor = startProgram(t, [program.target, 'supervise'], environment, [
      given.fd(),
      'pipe',
      'pipe',
    ]);
    assert.equal((await supervisor.ended()).code, 78);
    const faulty = start({ ...TOLD, PODUP_HTTP_ADDR: 'nowhere' });
    assert.equal((await faulty.ended()).code, 78);
    assert.equal(readFileSync(seen, 'utf8'), 'http-server .\ncheck-config .\n');
  });

  test('comes before its lock, which is waited for', async (t) => {
    const { paths, start } = makeInstalled(t);
    const holder = spawn('flock', [paths.supervisorLock, 'sh', '-c', 'echo up; read line'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(() => holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    const supervisor = start({ ...TOLD, PODUP_LOG_LEVEL: 'info' });
    // It says nothing before it has the lock; without a socket it then leaves.
    const ended = supervisor.ended();
    const first = await Promise.race([ended, once(holder, 'exit'), waitsForLock(supervisor.child)]);
    assert.equal(first, 'waits');
    holder.stdin.end();
    assert.equal((await ended).code, 69);
  });
});

/** Settles once the process has started the program that waits for the lock. */
async function waitsForLock({ pid }: { readonly pid?: number | undefined }): Promise<'waits'> {
  await until('flock -w', 20_000, () => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children
      .split(' ')
      .some(
        (child) => child !== '' && readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('-w'),
      );
  });
  return 'waits';
}
