import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeProgram } from '../helpers/executable.ts';
import { hasEnded } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';
import { makeInstalled } from './installed-program.ts';

describe('supervise: exit code 10', () => {
  test('with a request of that very process is no crash, three times a minute', async (t) => {
    const { paths, program, start } = makeInstalled(t);
    const { updateRequest, updateAnswersDir } = paths;
    makeProgram(program.target, {
      supervise: readFileSync(program.target, 'utf8'),
      // Not written aside, as somebody without our tools does it.
      'http-server': `printf '{"id":"r%s","command":"status","pid":%s}' $$ $$ > '${updateRequest}'
        exit 10`,
    });
    const supervisor = start();
    await supervisor.next('waiting before the next start');
    const messages = supervisor.lines.map(({ msg }) => msg);
    assert.equal(messages.filter((msg) => msg === 'worker asked to be restarted').length, 3);
    const expected = supervisor.lines
      .filter(({ msg }) => msg === 'worker started')
      .map(({ workerPid }) => `r${workerPid}.json`);
    await until('the answers', 5_000, () => {
      const answered = existsSync(updateAnswersDir) ? readdirSync(updateAnswersDir) : [];
      return expected.every((name) => answered.includes(name));
    });
  });
});

describe('supervise: the standby', { concurrency: true }, () => {
  test('serves while no worker is ready, is started again when it dies, and goes with its supervisor', async (t) => {
    const { start } = makeInstalled(t);
    const supervisor = start({ NEVER_READY: '1' });
    const port = await supervisor.port();
    const first = await supervisor.next('serving');
    assert.deepEqual([first['word'], first['words']], ['intake', ['--listen-fd', '3']]);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    assert.equal(await answer.text(), 'intake');
    process.kill(Number(first['pid']), 'SIGKILL');
    const second = await supervisor.next('serving');
    assert.notEqual(second['pid'], first['pid']);
    supervisor.child.kill('SIGKILL');
    // The others hold its output as well: silence means that they are gone too.
    await supervisor.silent;
  });

  test('gives way to a worker that is ready after all', async (t) => {
    const { folder, program, start } = makeInstalled(t);
    const gate = join(folder, 'gate');
    execFileSync('mkfifo', [gate]);
    makeProgram(program.target, {
      supervise: readFileSync(program.target, 'utf8'),
      'http-server': `read -r line < '${gate}'
        echo '{"kind":"worker-ready","version":"1.0.0","schema":1}' >&4; exec sleep 600`,
      intake: `echo "{\\"msg\\":\\"standing by\\",\\"pid\\":$$}"; exec sleep 600`,
    });
    const supervisor = start();
    const { pid } = await supervisor.next('standing by');
    assert.equal(hasEnded(Number(pid)), false);
    writeFileSync(gate, 'go\n');
    await supervisor.next('worker ready');
    await until('the end of the standby', 10_000, () => hasEnded(Number(pid)));
    supervisor.child.kill('SIGTERM');
    assert.equal((await supervisor.ended()).code, 0);
    await supervisor.silent;
  });
});
