import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listUnitContainers, seeUnitContainers } from '../../../app/host/podman.ts';
import {
  findImageId,
  hasImage,
  inspectImage,
  listImageNames,
  removeUnnamedImage,
} from '../../../app/host/podman-images.ts';
import { readPodmanInfo } from '../../../app/host/podman-info.ts';
import { readUnit } from '../../../app/host/read-unit.ts';
import { readStanding } from '../../../app/host/read-unit-state.ts';
import { isUnitAlive, resetFailed } from '../../../app/host/systemctl.ts';
import type { CommandResult, RunCommand } from '../../../shared/process/run-command.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

/** What no real host can be made to say on demand. */
const FAILED = {
  end: { kind: 'exited', code: 125 },
  stderr: 'Error: database is locked\n',
} as const;
const ID = 'c'.repeat(64);
const WANTED = `sha256:${'0a'.repeat(32)}`;

function container(over: Readonly<Record<string, unknown>> = {}) {
  return {
    Id: ID,
    Name: 'web',
    State: { Status: 'running' },
    Image: 'i1',
    ImageName: 'ghcr.io/octo-org/hello:latest',
    ImageDigest: WANTED,
    ...over,
  };
}

/** The same in a list. */
function listed(over: Readonly<Record<string, unknown>> = {}) {
  return { Id: ID, State: 'running', Image: 'web', ImageID: 'i1', ...over };
}

/** A podman whose `ps` finds one container, or prints a list. */
function podman(answers: {
  readonly container?: Partial<CommandResult>;
  readonly list?: Partial<CommandResult>;
  readonly image?: Partial<CommandResult>;
}) {
  return answerCommands((argv) => {
    if (argv[1] === 'ps')
      return argv.includes('json') ? (answers.list ?? {}) : { stdout: `${ID}\n` };
    return (argv[1] === 'container' ? answers.container : answers.image) ?? {};
  });
}

function containers(...all: readonly object[]): Partial<CommandResult> {
  return { stdout: JSON.stringify(all) };
}

describe('podman: odd answers', () => {
  for (const [title, answer] of [
    ['fails', FAILED],
    ['prints no JSON', { stdout: 'Trying to pull' }],
    ['takes too long', { end: { kind: 'timed-out' } }],
  ] as const) {
    test(`a podman that ${title} is PODMAN_FAILED`, async () => {
      const { run } = podman({ container: answer, list: answer, image: answer });
      const outcomes = [
        await listUnitContainers(run, 'web.service'),
        await seeUnitContainers(run, 'web.service'),
        await inspectImage(run, 'web'),
        await readPodmanInfo(run),
      ];
      for (const outcome of outcomes)
        assert.equal(outcome.ok || outcome.failure.code, 'PODMAN_FAILED');
    });
  }

  test('a list that fails is PODMAN_FAILED with the last line that podman wrote', async () => {
    const { run } = answerCommands(() => FAILED);
    const listed = await listUnitContainers(run, 'web.service');
    assert.ok(!listed.ok);
    assert.deepEqual(
      [listed.failure.code, /database is locked/.test(listed.failure.detail)],
      ['PODMAN_FAILED', true],
    );
  });

  test('a container that ends between the two questions is none of the unit any more', async () => {
    const gone = {
      end: { kind: 'exited', code: 125 },
      stderr: `Error: no such container ${ID}\n`,
    } as const;
    const all = podman({ container: { ...gone, stdout: '[]\n' } });
    assert.deepEqual(await listUnitContainers(all.run, 'web.service'), { ok: true, value: [] });
    const one = podman({ container: { ...gone, ...containers(container()) } });
    const listed = await listUnitContainers(one.run, 'web.service');
    assert.ok(listed.ok && listed.value.length === 1);
  });

  test('the health in a list is what stands last in its state in words', async () => {
    for (const [words, health] of [
      ['Up 3 seconds ago (healthy)', 'healthy'],
      ['Up Less than a second (starting)', 'starting'],
      ['Up 1 hour ago (unhealthy)', 'unhealthy'],
      ['Up 1 hour ago', 'none'],
      ['Exited (1) 3 seconds ago', 'none'],
      ['Up 2 minutes (Paused)', 'none'],
    ] as const) {
      const { run } = podman({ list: containers(listed({ Status: words })) });
      const seen = await seeUnitContainers(run, 'web.service');
      assert.deepEqual(seen.ok && seen.value[0]?.health, health, words);
    }
  });

  test('a unit name is handed over as one word', async () => {
    const { run, asked } = podman({ container: containers() });
    await listUnitContainers(run, 'a b;c.service');
    assert.ok(asked[0]?.argv.includes('label=PODMAN_SYSTEMD_UNIT=a b;c.service'));
  });

  test('an image is removed only where no tag names it, and podman does not refuse', async () => {
    for (const [tags, removal, isRemoved, commands] of [
      ['[]', {}, true, 2],
      ['null', {}, true, 2],
      ['["web:stable"]', {}, false, 1],
      ['', {}, false, 1],
      ['[]', FAILED, false, 2],
    ] as const) {
      const { run, asked } = answerCommands((argv) =>
        argv[2] === 'rm' ? removal : { stdout: `${tags}\n` },
      );
      assert.equal(await removeUnnamedImage(run, 'i1'), isRemoved, tags);
      assert.equal(asked.length, commands, tags);
      assert.ok(
        asked.every(({ argv }) => !argv.some((word) => /^(-f|--force|-a|--all)$/.test(word))),
      );
    }
  });

  for (const [what, stderr] of [
    ['comes', 'Error: locating item named "manifest" for image: file does not exist\n'],
    ['goes', 'Error: reading image "a1": locating image with ID "a1": image not known\n'],
  ] as const) {
    test(`images are looked at again where podman stumbles over one that just ${what}, a few times`, async () => {
      for (const [times, isFound] of [
        [3, true],
        [4, false],
      ] as const) {
        for (const [look, stdout] of [
          [(run: RunCommand) => inspectImage(run, 'web'), '[{"Id":"i","Digest":"d"}]'],
          [(run: RunCommand) => listImageNames(run, 'web:*'), 'i web:1\n'],
          [(run: RunCommand) => findImageId(run, 'web:1'), 'sha256:i\n'],
        ] as const) {
          let count = 0;
          const { run } = answerCommands(() =>
            ++count <= times ? { ...FAILED, stderr } : { stdout },
          );
          assert.equal((await look(run)).ok, isFound);
          assert.equal(count, 4);
        }
      }
    });
  }

  test('whether an image is here is known only from who could look', async () => {
    for (const [end, isHere] of [
      [{ kind: 'exited', code: 0 }, true],
      [{ kind: 'exited', code: 1 }, false],
      [{ kind: 'exited', code: 125 }, 'PODMAN_FAILED'],
      [{ kind: 'timed-out' }, 'PODMAN_FAILED'],
    ] as const) {
      const { run } = answerCommands(() => ({ end }));
      const here = await hasImage(run, 'i1');
      assert.equal(here.ok ? here.value : here.failure.code, isHere);
    }
  });

  test('what the service of podman answers is read as what the command prints', async () => {
    const answered =
      (value: unknown, status = 200) =>
      () => ({
        end: { kind: 'answered', status, method: 'GET', path: '/v4.0.0' } as const,
        ...(status === 200
          ? { stdout: JSON.stringify(value) }
          : { stderr: 'failed to find image a: a: image not known' }),
      });
    const image = { Id: 'i1', Digest: 'd', RepoDigests: ['a@d'], Size: 3 };
    const local = { id: 'i1', digest: 'd', repoDigests: ['a@d'], sizeBytes: 3 };
    const there = answerCommands(answered(image));
    assert.deepEqual(await inspectImage(there.run, 'a/b:c'), { ok: true, value: local });
    assert.deepEqual(await findImageId(there.run, 'a/b:c'), { ok: true, value: 'i1' });
    assert.deepEqual(await hasImage(there.run, 'a/b:c'), { ok: true, value: true });
    assert.deepEqual(
      there.asked.map(({ request }) => request?.path),
      ['json', 'json', 'exists'].map((word) => `/v4.0.0/libpod/images/a%2Fb%3Ac/${word}`),
    );
    const none = answerCommands(answered(null, 404));
    assert.deepEqual(await inspectImage(none.run, 'a'), { ok: true, value: undefined });
    assert.deepEqual(await findImageId(none.run, 'a'), { ok: true, value: undefined });
    assert.deepEqual(await hasImage(none.run, 'a'), { ok: true, value: false });
    const names = answerCommands(answered([{ Id: 'i1', RepoTags: ['a:1', 'a:2'] }, { Id: 'i2' }]));
    assert.deepEqual(await listImageNames(names.run, 'a:*'), {
      ok: true,
      value: [
        { id: 'i1', names: ['a:1', 'a:2'] },
        { id: 'i2', names: [] },
      ],
    });
    for (const [said, health] of [
      ['healthy', 'healthy'],
      ['starting', 'starting'],
      ['', 'none'],
    ] as const) {
      const { run } = answerCommands(answered([listed({ Status: said })]));
      const seen = await seeUnitContainers(run, 'web.service');
      assert.equal(seen.ok && seen.value[0]?.health, health);
    }
  });

  test('what podman says of itself is read as far as it is there', async () => {
    const whole = {
      registries: { search: [] },
      store: {
        ...{ graphDriverName: 'overlay', graphRoot: '/g' },
        ...{ graphRootAllocated: 100, graphRootUsed: 40 },
      },
      version: { Version: '5.4.2' },
    };
    const graphOptions = { 'overlay.imagestore': '/others' };
    const split = { ...whole, store: { ...whole.store, graphOptions } };
    for (const [said, value] of [
      [
        JSON.stringify(whole),
        {
          registries: { search: [] },
          version: '5.4.2',
          graphRoot: '/g',
          driver: 'overlay',
          freeBytes: 60,
        },
      ],
      [
        JSON.stringify(split),
        {
          registries: { search: [] },
          version: '5.4.2',
          graphRoot: '/g',
          driver: '',
          freeBytes: 60,
        },
      ],
      ['{}', { registries: null, version: '', graphRoot: '', driver: '', freeBytes: undefined }],
      ['null', { registries: null, version: '', graphRoot: '', driver: '', freeBytes: undefined }],
    ] as const) {
      const { run } = answerCommands(() => ({ stdout: said }));
      assert.deepEqual(await readPodmanInfo(run), { ok: true, value });
    }
  });

  test('an image that podman prints nothing of, or without digests, is read as what is there', async () => {
    const none = podman({ image: { stdout: '[]' } });
    assert.deepEqual(await inspectImage(none.run, 'web'), { ok: true, value: undefined });
    const bare = podman({ image: { stdout: '[{"Id":"i","Digest":"d"}]' } });
    assert.deepEqual(await inspectImage(bare.run, 'web'), {
      ok: true,
      value: { id: 'i', digest: 'd', repoDigests: [], sizeBytes: 0 },
    });
  });
});

describe('systemd: odd answers', () => {
  const line = (data: unknown) => JSON.stringify({ type: 'x', data });

  function busctl(execStart: unknown, loadState = 'loaded') {
    return answerCommands((argv) =>
      argv.some((word) => word.endsWith('.Unit'))
        ? {
            stdout: ['web.service', loadState, 'active', 'running', true, '', [], []]
              .map(line)
              .join('\n'),
          }
        : { stdout: ['success', 42, execStart].map(line).join('\n') },
    );
  }

  for (const [title, execStart, tag] of [
    [
      'the first command that runs an image counts',
      [
        ['/bin/rm', ['rm', '-f', 'x']],
        ['/usr/bin/podman', ['podman', 'run', 'ghcr.io/octo-org/hello:latest']],
      ],
      'latest',
    ],
    [
      'an image reference that is none is unknown',
      [['/usr/bin/podman', ['podman', 'run', 'NOT::VALID']]],
      undefined,
    ],
    [
      'a start command of another shape is unknown',
      [['/bin/x', [1, 2]], 'x', null, ['/bin/x']],
      undefined,
    ],
    ['no list of commands is unknown', 'x', undefined],
    ['an empty list of commands is unknown', [], undefined],
  ] as const) {
    test(title, async () => {
      const unit = await readUnit(busctl(execStart).run, 'web.service');
      assert.ok(unit.ok);
      assert.deepEqual(
        [unit.value.image?.tag, unit.value.mainPid, unit.value.needsReload],
        [tag, 42, true],
      );
    });
  }

  test('a bus that answers with something that is not JSON is not believed', async () => {
    const { run } = answerCommands(() => ({ stdout: 'garbage' }));
    const unit = await readUnit(run, 'web.service');
    assert.equal(unit.ok || unit.failure.code, 'USER_MANAGER_UNAVAILABLE');
  });

  test('how a unit stands and what stops with it is one question, also where another unit is restarted for it', async () => {
    const paragraph = (id: string, ...facts: readonly string[]) =>
      [`Id=${id}`, 'LoadState=loaded', 'ActiveState=active', ...facts].join('\n');
    for (const [restarted, first] of [
      ['web.service', paragraph('web.service', 'MainPID=7', 'RequiredBy=a.service')],
      [
        'pod.service',
        [
          paragraph('web.service', 'MainPID=7', 'RequiredBy=z.service'),
          paragraph('pod.service', 'RequiredBy=a.service'),
        ].join('\n\n'),
      ],
    ] as const) {
      const { run, asked } = answerCommands((argv) => ({
        stdout: argv.at(-1) === 'a.service' ? paragraph('a.service') : first,
      }));
      const standing = await readStanding(run, 'web.service', restarted);
      assert.ok(standing.ok);
      assert.equal(standing.value.sample.mainPid, 7);
      assert.deepEqual(standing.value.dependents, ['a.service']);
      const argv: readonly string[] = asked[0]?.argv ?? [];
      const units = [...new Set(['web.service', restarted])];
      assert.deepEqual(argv.slice(argv.indexOf('--') + 1), units);
      assert.equal(asked.length, 2);
    }
    const { run } = answerCommands(() => ({ stdout: 'LoadState=not-found\n' }));
    const gone = await readStanding(run, 'web.service', 'web.service');
    assert.equal(gone.ok || gone.failure.code, 'UNIT_NOT_FOUND');
  });

  test('the object path escapes what the bus does not take, and a leading digit', async () => {
    const { run, asked } = busctl([]);
    await readUnit(run, '9a-b@c_d.service');
    assert.ok(asked[0]?.argv.includes('/org/freedesktop/systemd1/unit/_39a_2db_40c_5fd_2eservice'));
  });

  for (const [state, isAlive] of [
    ['active', true],
    ['activating', true],
    ['deactivating', true],
    ['failed', false],
    ['inactive', false],
  ] as const) {
    test(`a unit that is ${state} is ${isAlive ? 'alive' : 'not alive'}`, async () => {
      const { run } = answerCommands(() => ({ stdout: `${state}\n` }));
      assert.deepEqual(await isUnitAlive(run, 'x.service'), { ok: true, value: isAlive });
    });
  }
});

describe('failed starts', () => {
  const lost = { end: { kind: 'connection-lost', reason: 'It broke.' } } as const;
  const refused = { end: { kind: 'exited', code: 1 } } as const;
  const forget = async (...answers: readonly Partial<CommandResult>[]) => {
    const left = [...answers];
    const { run, asked } = answerCommands(() => left.shift() ?? {});
    const { end } = await resetFailed(run, 'a.service', 'b.service', 'a.service');
    return [asked.map(({ argv }) => argv.slice(-2).join(' ')), end.kind] as const;
  };

  test('are forgotten by one question, whatever is answered', async () => {
    for (const answers of [[], [refused]]) {
      assert.deepEqual(await forget(...answers), [['a.service b.service'], 'exited']);
    }
  });

  test('are asked to be once more where nobody knows whether that was heard, and not again', async () => {
    const twice = ['a.service b.service', 'a.service b.service'];
    assert.deepEqual(await forget(lost), [twice, 'exited']);
    assert.deepEqual(await forget(lost, lost), [twice, 'connection-lost']);
  });
});
