import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HAS_QUADLET, pushImage, served } from '../helpers/lab.ts';
import {
  handWritten,
  quadletContainer,
  startUnits,
  systemctl,
  type UnitFiles,
  untilServed,
} from '../helpers/lab-units.ts';
import { codeOf, deploy, openSharedStore } from './host-fixture.ts';

const QUICK = { policy: { soakMs: 400 } } as const;

type Member = {
  readonly image: string;
  /** The port inside of the pod and on this host. */
  readonly port: number;
  readonly unit?: string;
  /** It is up when it says so, two seconds after its start. */
  readonly isSlow?: boolean;
};

const unitOf = (member: string) => `${HAS_QUADLET ? '' : 'container-'}${member}.service`;
const podOf = (pod: string) => (HAS_QUADLET ? `${pod}-pod.service` : `pod-${pod}.service`);

/** A pod as Quadlet's `.pod` describes it, or as `podman generate systemd --new` writes it. */
function podFiles(pod: string, members: Readonly<Record<string, Member>>): UnitFiles {
  const ports = Object.values(members).map(({ port }) => `127.0.0.1:${port}:${port}`);
  if (HAS_QUADLET) {
    const published = ports.map((port) => `PublishPort=${port}\n`).join('');
    const files = Object.entries(members).map(([name, { image, port, unit, isSlow }]) => {
      const quadlet = `Pod=${pod}.pod\n${isSlow ? 'Notify=true\n' : ''}`;
      const env = { PORT: String(port) };
      return [`${name}.container`, quadletContainer({ image, env, quadlet, unit: unit ?? '' })];
    });
    return { [`${pod}.pod`]: `[Pod]\n${published}`, ...Object.fromEntries(files) };
  }
  const files = Object.entries(members).map(([name, { image, port, unit = '', isSlow }]) => {
    const options = `--pod-id-file %t/pod-${pod}.pod-id${isSlow ? ' --sdnotify=container' : ''}`;
    const bound = `BindsTo=pod-${pod}.service\nAfter=pod-${pod}.service\n${unit}`;
    const env = { PORT: String(port) };
    return [unitOf(name), handWritten({ image, env, name, options, unit: bound })];
  });
  const units = Object.keys(members).map(unitOf).join(' ');
  return {
    [podOf(pod)]: `[Unit]
Wants=${units}
Before=${units}
[Service]
Environment=PODMAN_SYSTEMD_UNIT=%n
Restart=on-failure
TimeoutStopSec=70
ExecStartPre=/bin/rm -f %t/pod-${pod}.pid %t/pod-${pod}.pod-id
ExecStartPre=/usr/bin/podman pod create --infra-conmon-pidfile %t/pod-${pod}.pid --pod-id-file %t/pod-${pod}.pod-id --exit-policy=stop --name ${pod} ${ports.map((port) => `-p ${port}`).join(' ')} --replace
ExecStart=/usr/bin/podman pod start --pod-id-file %t/pod-${pod}.pod-id
ExecStop=/usr/bin/podman pod stop --ignore --pod-id-file %t/pod-${pod}.pod-id -t 10
ExecStopPost=/usr/bin/podman pod rm --ignore -f --pod-id-file %t/pod-${pod}.pod-id
PIDFile=%t/pod-${pod}.pid
Type=forking
`,
    ...Object.fromEntries(files),
  };
}

async function startPod(pod: string, members: Readonly<Record<string, Member>>): Promise<void> {
  for (const { image, isSlow } of Object.values(members)) {
    pushImage(image, 'v1', ...(isSlow ? ['--slow', '2'] : []));
  }
  startUnits(podFiles(pod, members), podOf(pod));
  for (const { port } of Object.values(members)) await untilServed(port, 'v1');
}

const startOf = (unit: string) => systemctl('show', '--value', '-P', 'InvocationID', '--', unit);
const stateOf = (unit: string) => systemctl('show', '--value', '-P', 'ActiveState', '--', unit);

describe('a pod of two containers', () => {
  test('is restarted for one of them, and the other one serves again', async () => {
    await startPod('two', {
      front: { image: 'front:stable', port: 8811 },
      back: { image: 'back:stable', port: 8812 },
    });
    const before = startOf(podOf('two'));
    const next = pushImage('front:stable', 'v2');
    const deployed = await deploy(unitOf('front'), QUICK);
    assert.equal(deployed.end.status, 'succeeded', JSON.stringify(deployed));
    assert.equal(deployed.evidence.running_digest, next.digest);
    const row = openSharedStore().deployments.find(deployed.task);
    assert.equal(row?.restart_unit, podOf('two'));
    assert.ok(JSON.parse(row?.dependents ?? '[]').includes(unitOf('back')), row?.dependents);
    assert.notEqual(startOf(podOf('two')), before);
    await untilServed(8811, 'v2');
    assert.deepEqual([stateOf(unitOf('back')), await served(8812)], ['active', 'v1']);
  });

  test('serves as before where the new image of one is bad', async () => {
    const bad = pushImage('front:stable', 'v3', '--broken');
    const deployed = await deploy(unitOf('front'), QUICK);
    assert.match(codeOf(deployed), /^(GATE_UNIT_\w+|CONTAINER_NOT_RUNNING)$/);
    assert.match(deployed.end.summary, /was put back to sha256:/);
    await untilServed(8811, 'v2');
    await untilServed(8812, 'v1');
    assert.deepEqual([podOf('two'), unitOf('front'), unitOf('back')].map(stateOf), [
      'active',
      'active',
      'active',
    ]);
    const { quarantine } = openSharedStore();
    assert.ok(quarantine.find(unitOf('front'), bad.digest, Date.now()));
    assert.equal(quarantine.find(unitOf('back'), bad.digest, Date.now()), undefined);
  });
});

test('a pod of one container, which ends with it, is deployed and put back', async () => {
  await startPod('lone', { only: { image: 'only:stable', port: 8821 } });
  pushImage('only:stable', 'v2');
  const good = await deploy(unitOf('only'), QUICK);
  assert.equal(good.end.status, 'succeeded', JSON.stringify(good));
  await untilServed(8821, 'v2');
  pushImage('only:stable', 'v3', '--broken');
  const bad = await deploy(unitOf('only'), QUICK);
  assert.match(bad.end.summary, /was put back to sha256:/, JSON.stringify(bad));
  await untilServed(8821, 'v2');
  assert.equal(stateOf(podOf('lone')), 'active');
});

test('a container that waits for another one of its pod has not failed meanwhile', async () => {
  const first = unitOf('first');
  await startPod('order', {
    first: { image: 'first:stable', port: 8831, isSlow: true },
    second: { image: 'second:stable', port: 8832, unit: `Requires=${first}\nAfter=${first}\n` },
  });
  pushImage('second:stable', 'v2');
  const deployed = await deploy(unitOf('second'), QUICK);
  assert.equal(deployed.end.status, 'succeeded', JSON.stringify(deployed));
  await untilServed(8832, 'v2');
  assert.equal(await served(8831), 'v1');
});
