import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Host } from '../../app/host/host.ts';
import { openHost } from '../../app/host/open-host.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { codeOf, deploy, openSharedStore } from '../host/host-fixture.ts';
import { RemoteLab } from './remote-fixture.ts';

const QUICK = { soakMs: 300 } as const;
const UNIT = 'web.service';
const PORT = 8601;
const isLong = process.argv.some((word) => word.includes('.long.'));

/** Ends the sshd of its own connection and then runs the command: whoever asked for it hears no more of it. */
const CUT = [
  'sh',
  '-c',
  `p=$$; until grep -q '^sshd' /proc/$p/comm; do p=$(ps -o ppid= -p $p | tr -d ' '); done
   kill -9 $p; exec "$@"`,
  'sh',
] as const;

describe('a unit of another host, over SSH', () => {
  let remote: RemoteLab;
  before(async () => {
    remote = await RemoteLab.start();
    await remote.push('web:stable', 'v1');
    await remote.startUnit('web', PORT);
    await remote.untilServed(PORT, 'v1');
    const needs = '[Unit]\\nRequires=web.service\\nAfter=web.service\\n[Service]\\n';
    await remote.sh(
      `printf '${needs}ExecStart=/bin/sleep infinity\\n' > ~/.config/systemd/user/front.service
       systemctl --user daemon-reload && systemctl --user start front`,
    );
  });
  after(() => remote.close());

  const deployThere = (options: Parameters<typeof deploy>[1] = {}) =>
    deploy(UNIT, { host: remote.host, policy: QUICK, ...options });

  test('is brought to the new image, whose registry only that host reaches', async () => {
    const digest = await remote.push('web:stable', 'v2');
    const read: string[] = [];
    const readText: Host['readText'] = (path, maxBytes) => {
      read.push(path);
      return remote.host.readText(path, maxBytes);
    };
    const { end, evidence } = await deployThere({
      host: { ...remote.host, readText },
      policy: { ...QUICK, probe: { kind: 'http', url: `http://127.0.0.1:${PORT}/` } },
    });
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    assert.equal(evidence.running_digest, digest);
    await remote.untilServed(PORT, 'v2');
    assert.equal(remote.lab.accepted, 1, 'one connection for everything');
    // Not the lists of podman, which grow with its images.
    assert.deepEqual(
      read.filter((path) => /containers\/storage/.test(path)),
      [],
    );
    assert.ok(read.length > 0);
  });

  test('is put back where the image is bad, which is left alone, and its dependents are there', async () => {
    const digest = await remote.push('web:stable', 'v3', '--broken');
    const deployed = await deployThere();
    assert.match(codeOf(deployed), /^(GATE|RESTART|CONTAINER)/);
    await remote.untilServed(PORT, 'v2');
    assert.ok(await remote.isActive(UNIT, 'front.service'));
    const row = openSharedStore().quarantine.find(UNIT, digest, Date.now());
    assert.equal(row?.code, codeOf(deployed));
    const again = await deployThere();
    assert.match(again.end.summary, /IMAGE_QUARANTINED/);
    // The file that keeps the timer of podman off lies there, and not here.
    const guard = openSharedStore().quarantine.listGuards(Date.now())[0]?.guard ?? '';
    assert.match(await remote.sh(`cat '${guard}'`), /quarantine/);
    await remote.push('web:stable', 'v4');
    assert.equal((await deployThere()).end.status, 'succeeded');
    assert.equal((await remote.lab.exec(`ls '${guard}'`)).code, 2);
  });

  test('goes on after a crash in the restart', async () => {
    await remote.push('web:stable', 'v5');
    const dying: RunCommand = (command) =>
      remote.host.run(command.argv.includes('restart') ? { ...command, argv: ['false'] } : command);
    const cut = await deployThere({ run: dying, isStopping: () => true });
    const { end } = await deployThere({ task: cut.task, attempt: 2 });
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    await remote.untilServed(PORT, 'v5');
  });

  test('ends well on one of the two images wherever the connection is cut', async (t) => {
    let old = await remote.served(PORT);
    let isThrough = false;
    for (let step = 0; !isThrough; step += isLong ? 1 : 6) {
      const version = `cut${step}`;
      const digest = await remote.push('web:stable', version);
      let number = 0;
      let during = '';
      const run: RunCommand = (command) => {
        if (number++ !== step) return remote.host.run(command);
        during = command.argv.slice(0, 4).join(' ');
        return remote.host.run({ ...command, argv: [...CUT, ...command.argv] });
      };
      let deployed = await deployThere({ run });
      isThrough = during === '';
      const { task } = deployed;
      for (let attempt = 2; deployed.end.status === 'deferred'; attempt++) {
        deployed = await deployThere({ task, attempt, hostWaits: attempt - 1 });
      }
      const { end } = deployed;
      t.diagnostic(`${step} ${during}: ${end.status}, ${end.summary}`);
      const isNew = end.status === 'succeeded' || /runs .* already/.test(end.summary);
      assert.equal(openSharedStore().quarantine.find(UNIT, digest, Date.now()), undefined);
      await remote.untilServed(PORT, isNew ? version : old);
      assert.ok(await remote.isActive(UNIT, 'front.service'), during);
      if (isNew) old = version;
    }
  });

  // Half a minute of tries goes before.
  test('that has to go back waits for a host that is out of reach, and goes back then', {
    skip: !isLong && 'in the long run',
  }, async () => {
    const old = await remote.served(PORT);
    await remote.push('web:stable', 'away', '--broken');
    const run: RunCommand = async (command) => {
      const result = await remote.host.run(command);
      if (command.argv.includes('restart')) {
        remote.lab.block();
        remote.lab.cut();
      }
      return result;
    };
    const away = await deployThere({ run });
    assert.equal(away.end.status, 'deferred', JSON.stringify(away.end));
    assert.match(away.end.summary, /SSH_UNREACHABLE/);
    assert.equal(openSharedStore().deployments.find(away.task)?.stage, 'back');
    remote.lab.unblock();
    const { end } = await deployThere({ task: away.task, attempt: 2, hostWaits: 1 });
    assert.match(end.summary, /was put back to sha256:/, JSON.stringify(end));
    await remote.untilServed(PORT, old);
  });

  test('whose host is out of reach is an error, and nothing is done here', async () => {
    await remote.push('web:stable', 'v9');
    const opened = openHost(
      { systemdScope: 'user', sshTarget: 'nobody@host.invalid', sshConnectTimeoutMs: 3_000 },
      {},
    );
    assert.ok(opened.ok);
    const deployed = await deployThere({ host: opened.value });
    assert.equal(codeOf(deployed), 'SSH_UNREACHABLE');
    await opened.value.close();
  });

  for (const name of ['$(touch pwned).service', "';touch pwned;'.service", '--help', '`id`']) {
    test(`called ${name} is a name and nothing else`, async () => {
      const deployed = await deploy(name, { host: remote.host, policy: QUICK });
      assert.match(codeOf(deployed), /^(UNIT_NOT_FOUND|USER_MANAGER_UNAVAILABLE)$/);
      const isQuoted = { version: `1;touch pwned`, isManual: true } as const;
      assert.equal(codeOf(await deployThere(isQuoted)), 'VERSION_NOT_OF_UNIT');
      assert.equal((await remote.lab.exec('find / -name pwned 2>/dev/null')).stdout, '');
    });
  }
});
