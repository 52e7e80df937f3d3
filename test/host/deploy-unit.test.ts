import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runCommand } from '../../shared/process/run-command.ts';
import {
  addTag,
  childDigests,
  command,
  countStarts,
  pushImage,
  served,
  startUnit,
} from '../helpers/lab.ts';
import { until } from '../helpers/until.ts';
import { codeOf, deploy, LIMITS, recordRuns } from './host-fixture.ts';

let lastPort = 8200;

/** A unit of its own, serving v1 of an image of its own. */
async function startServing(name: string, ...options: string[]) {
  lastPort++;
  const port = lastPort;
  const image = `${name}:stable`;
  const first = pushImage(image, 'v1', ...options.filter((option) => option === '--index'));
  startUnit(name, image, port, ...options.filter((option) => option !== '--index'));
  await untilServed(port, 'v1');
  const digestOfTag = () =>
    command(
      'podman',
      'image',
      'inspect',
      '--format',
      '{{json .RepoDigests}}',
      `${first.repository}:stable`,
    );
  return { unit: `${name}.service`, image, port, first, digestOfTag };
}

function untilServed(port: number, version: string): Promise<boolean> {
  return until(`${version} on ${port}`, 20_000, async () => (await served(port)) === version);
}

/** What an operator does in the middle of our work. */
function stopOf(unit: string): { argv: [string, ...string[]] } {
  return { argv: ['systemctl', '--user', 'stop', unit] };
}

/** That the unit was neither stopped nor restarted. */
async function assertUntouched({ unit, port }: { unit: string; port: number }): Promise<void> {
  assert.equal(await served(port), 'v1');
  assert.equal(countStarts(unit, 'v1'), 1);
}

describe('deploy unit', () => {
  for (const options of [[], ['--index']]) {
    test(`a new image is pulled, run and proven ${options.join(' ')}`, async () => {
      const host = await startServing(`new${options.length}`, ...options);
      const next = pushImage(host.image, 'v2', ...options);
      const { end, phases, evidence } = await deploy(host.unit, {
        image: `${next.repository}:stable`,
      });
      assert.equal(end.status, 'succeeded', JSON.stringify(end));
      assert.match(
        end.summary,
        new RegExp(`^${host.unit} runs .*:stable \\(${next.digest}\\)\\.$`),
      );
      assert.deepEqual(phases, [
        'reading-unit',
        'resolving-digest',
        'pulling-image',
        'holding-image',
        'tagging-image',
        'restarting',
        'verifying',
      ]);
      assert.deepEqual(evidence, {
        image: `${next.repository}:stable`,
        registry_digest: next.digest,
        pulled_digest: next.digest,
        running_digest: next.digest,
        running_image: `${next.repository}:stable`,
      });
      await untilServed(host.port, 'v2');
      assert.equal(countStarts(host.unit, 'v2'), 1);
    });
  }

  test('what runs already is left alone, and a tag that points elsewhere is put right', async () => {
    const host = await startServing('same');
    const other = pushImage('same:other', 'v9');
    command('podman', 'pull', '--quiet', `${other.repository}@${other.digest}`);
    command('podman', 'tag', `${other.repository}@${other.digest}`, `${other.repository}:stable`);
    assert.ok(!host.digestOfTag().includes(host.first.digest));
    const { end } = await deploy(host.unit);
    assert.equal(end.status, 'skipped');
    assert.match(end.summary, /already\.$/);
    assert.ok(host.digestOfTag().includes(host.first.digest));
    await assertUntouched(host);
    const again = recordRuns();
    assert.equal((await deploy(host.unit, { run: again.run })).end.status, 'skipped');
    assert.deepEqual([again.count('tag'), again.count('pull')], [0, 0]);
  });

  test('what an interrupted attempt of the same task has brought about is its success', async () => {
    const host = await startServing('resumed');
    const { end } = await deploy(host.unit, { pulledBefore: host.first.digest });
    assert.equal(end.status, 'succeeded');
    await assertUntouched(host);
  });

  test('the platform digest of an index counts as the index', async () => {
    const host = await startServing('platform', '--index');
    const [child = ''] = await childDigests(host.first);
    assert.notEqual(child, host.first.digest);
    await addTag({ ...host.first, digest: child }, 'stable');
    const { end } = await deploy(host.unit);
    assert.equal(end.status, 'skipped', JSON.stringify(end));
    await assertUntouched(host);
  });

  test('a stopped unit gets the image for its next start and stays stopped', async () => {
    const host = await startServing('stopped');
    command('systemctl', '--user', 'stop', host.unit);
    const next = pushImage(host.image, 'v2');
    const { end, evidence } = await deploy(host.unit);
    assert.equal(end.status, 'skipped', JSON.stringify(end));
    assert.match(end.summary, /is stopped/);
    assert.equal(evidence.pulled_digest, next.digest);
    assert.equal(await served(host.port), undefined);
    command('systemctl', '--user', 'start', host.unit);
    await untilServed(host.port, 'v2');
  });

  test('a unit that is stopped while its image is pulled stays stopped', async () => {
    const host = await startServing('halted');
    pushImage(host.image, 'v2');
    const { end } = await deploy(host.unit, {
      run: async (command) => {
        const result = await runCommand(command);
        if (command.argv[1] === 'pull')
          await runCommand({ ...stopOf(host.unit), timeoutMs: 20_000 });
        return result;
      },
    });
    assert.equal(end.status, 'skipped', JSON.stringify(end));
    assert.equal(await served(host.port), undefined);
  });

  test('an image whose container exits at once is a failure', async () => {
    const host = await startServing('broken');
    const next = pushImage(host.image, 'v2', '--broken');
    const deployed = await deploy(host.unit);
    assert.match(codeOf(deployed), /^(GATE_UNIT_(RESTARTED|DOWN)|RESTART_FAILED)$/);
    assert.equal(deployed.evidence.pulled_digest, next.digest);
    assert.equal(deployed.evidence.running_digest, host.first.digest);
    await untilServed(host.port, 'v1');
  });

  test('a unit whose start fails is a failure of the restart', async () => {
    const host = await startServing('unready', '--sdnotify', 'container', '--timeout', '3');
    pushImage(host.image, 'v2', '--broken');
    const deployed = await deploy(host.unit);
    assert.equal(codeOf(deployed), 'RESTART_FAILED');
    command('systemctl', '--user', 'stop', host.unit);
  });

  test('a restart that takes too long is ended', async () => {
    const host = await startServing('slow', '--sdnotify', 'container', '--timeout', '60');
    pushImage(host.image, 'v2', '--slow', '40');
    const deployed = await deploy(host.unit, { limits: { ...LIMITS, restartTimeoutMs: 3_000 } });
    assert.equal(codeOf(deployed), 'RESTART_TIMEOUT');
    command('systemctl', '--user', 'stop', host.unit);
  });

  test('a tag that the registry does not have is said so, the unit is not touched', async () => {
    const host = await startServing('tagless');
    const { repository } = host.first;
    const path = repository.slice(repository.indexOf('/') + 1);
    await fetch(`http://127.0.0.1:5000/v2/${path}/manifests/${host.first.digest}`, {
      method: 'DELETE',
    });
    const deployed = await deploy(host.unit);
    assert.equal(codeOf(deployed), 'REGISTRY_IMAGE_NOT_FOUND');
    await assertUntouched(host);
  });

  test('an image whose layers cannot be had is a failure of the pull, the unit is not touched', async () => {
    const host = await startServing('layerless');
    pushImage(host.image, 'v2');
    const run = recordRuns((argv) =>
      argv[1] === 'pull'
        ? {
            ...process.env,
            HTTP_PROXY: 'http://127.0.0.1:1',
            http_proxy: 'http://127.0.0.1:1',
            CONTAINERS_REGISTRIES_CONF: '/dev/null',
          }
        : undefined,
    );
    assert.equal(codeOf(await deploy(host.unit, { run: run.run })), 'PULL_FAILED');
    await assertUntouched(host);
  });

  test('a pull that takes too long is ended, the unit is not touched', async () => {
    const host = await startServing('pulled');
    pushImage(host.image, 'v2');
    const deployed = await deploy(host.unit, { limits: { ...LIMITS, pullTimeoutMs: 1 } });
    assert.equal(codeOf(deployed), 'PULL_TIMEOUT');
    await assertUntouched(host);
  });

  test('without podman in PATH the unit is not touched', async () => {
    const host = await startServing('bare');
    pushImage(host.image, 'v2');
    const { run } = recordRuns((argv) =>
      argv[0] === 'podman' ? { PATH: '/nonexistent' } : undefined,
    );
    assert.equal(codeOf(await deploy(host.unit, { run })), 'PODMAN_UNAVAILABLE');
    await assertUntouched(host);
  });

  test('a unit that runs another repository by now is not touched', async () => {
    const host = await startServing('changed');
    const deployed = await deploy(host.unit, { image: '127.0.0.1:5000/other:stable' });
    assert.equal(codeOf(deployed), 'UNIT_IMAGE_CHANGED');
    await assertUntouched(host);
  });

  test('a unit that is pinned, has no image or is not there fails before anything is asked', async () => {
    const host = await startServing('pinned');
    const reference = `${host.first.repository}@${host.first.digest}`;
    lastPort++;
    startUnit('fixed', reference, lastPort, '--no-start');
    const { run, count } = recordRuns();
    assert.equal(codeOf(await deploy('fixed.service', { run })), 'UNIT_IMAGE_PINNED');
    assert.equal(codeOf(await deploy('lab-registry.service', { run })), 'UNIT_IMAGE_UNKNOWN');
    assert.equal(codeOf(await deploy('nobody.service', { run })), 'UNIT_NOT_FOUND');
    assert.equal(count('podman'), 0);
  });

  test('with the registry down the unit is not touched', async () => {
    const host = await startServing('outage');
    command('systemctl', '--user', 'stop', 'lab-registry');
    try {
      assert.equal(codeOf(await deploy(host.unit)), 'REGISTRY_UNREACHABLE');
    } finally {
      command('systemctl', '--user', 'start', 'lab-registry');
    }
    await assertUntouched(host);
  });
});
