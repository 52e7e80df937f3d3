import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { sharePodmanInfo } from '../../../app/tasks/shared-podman-info.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { answerCommands } from './task-fixture.ts';

/** A podman in a folder of its own, its configuration, and what is asked of it. */
function makeHost(context: TestContext, answer = () => ({})) {
  const folder = makeTempFolder(context);
  for (const name of ['bin', 'config/containers/registries.conf.d', 'data']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const [program, conf] = [join(folder, 'bin/podman'), join(folder, 'config/containers')];
  writeFileSync(program, 'one');
  writeFileSync(join(conf, 'registries.conf.d', '10-first.conf'), '');
  const environment = { PATH: join(folder, 'bin'), XDG_CONFIG_HOME: join(folder, 'config') };
  const { run, asked } = answerCommands(() => ({
    stdout: JSON.stringify({
      registries: { search: ['a'] },
      store: {
        ...{ graphDriverName: 'overlay', graphRoot: folder },
        ...{ graphRootAllocated: 9, graphRootUsed: 2 },
      },
      version: { Version: '5.4.2' },
    }),
    ...answer(),
  }));
  const data = join(folder, 'data');
  const share = (others = {}) => sharePodmanInfo(data, { ...environment, ...others })(run);
  return { folder, program, conf, data, kept: join(data, 'podman-info.json'), share, asked };
}

describe('what podman is and has', () => {
  test('is asked once by all who share a folder, also by those who ask at the same time', async (t) => {
    const { share, asked, kept, folder } = makeHost(t);
    await Promise.all([share(), share(), share()]);
    const known = await share();
    assert.equal(asked.length, 1);
    assert.ok(known.ok);
    const { freeBytes, ...others } = known.value;
    const registries = { search: ['a'] };
    const stored = { graphRoot: folder, driver: 'overlay' };
    assert.deepEqual(others, { version: '5.4.2', ...stored, registries });
    assert.equal(statSync(kept).mode & 0o777, 0o600);
    // What is free is what the file system says now, not what podman said then.
    const { bfree, bsize } = statfsSync(folder);
    assert.ok(Math.abs((freeBytes ?? 0) - bfree * bsize) < 2 ** 30);
  });

  for (const [title, change] of [
    ['another program', ({ program }) => writeFileSync(program, 'another')],
    ['a new file of registries', ({ conf }) => writeFileSync(join(conf, 'registries.conf'), '')],
    [
      'a new drop-in',
      ({ conf }) => writeFileSync(join(conf, 'registries.conf.d', '50-a.conf'), ''),
    ],
    [
      'another text in a drop-in',
      ({ conf }) => writeFileSync(join(conf, 'registries.conf.d', '10-first.conf'), 'changed'),
    ],
    [
      'an answer older than a day',
      ({ kept }) => {
        const { at, ...others } = JSON.parse(readFileSync(kept, 'utf8')) as { at: number };
        writeFileSync(kept, JSON.stringify({ ...others, at: at - 86_400_000 }));
      },
    ],
    [
      'an answer from the future',
      ({ kept }) => {
        const { at, ...others } = JSON.parse(readFileSync(kept, 'utf8')) as { at: number };
        writeFileSync(kept, JSON.stringify({ ...others, at: at + 60_000 }));
      },
    ],
    [
      'an answer that an older version has kept',
      ({ kept }) => {
        const { driver, ...others } = JSON.parse(readFileSync(kept, 'utf8')) as { driver: string };
        assert.equal(driver, 'overlay');
        writeFileSync(kept, JSON.stringify(others));
      },
    ],
    ['an answer that is damaged', ({ kept }) => writeFileSync(kept, '{')],
  ] as const satisfies readonly [string, (host: ReturnType<typeof makeHost>) => void][]) {
    test(`is asked again after ${title}`, async (t) => {
      const host = makeHost(t);
      await host.share();
      change(host);
      assert.ok((await host.share()).ok);
      assert.equal(host.asked.length, 2);
      await host.share();
      assert.equal(host.asked.length, 2);
    });
  }

  test('is asked again by who is told of other files', async (t) => {
    const { share, asked, folder } = makeHost(t);
    await share();
    await share({ CONTAINERS_REGISTRIES_CONF: join(folder, 'none.conf') });
    assert.equal(asked.length, 2);
    writeFileSync(join(folder, 'none.conf'), '');
    await share({ CONTAINERS_REGISTRIES_CONF: join(folder, 'none.conf') });
    assert.equal(asked.length, 3);
  });

  test('is not kept where podman fails, nor where there is none, and who cannot write asks', async (t) => {
    const failing = makeHost(t, () => ({ end: { kind: 'exited', code: 125 } }));
    for (const times of [1, 2]) {
      assert.equal((await failing.share()).ok, false);
      assert.equal(failing.asked.length, times);
    }
    const none = makeHost(t);
    for (const times of [1, 2]) {
      await none.share({ PATH: none.data });
      assert.equal(none.asked.length, times);
    }
    const closed = makeHost(t);
    mkdirSync(closed.kept);
    for (const times of [1, 2]) {
      assert.ok((await closed.share()).ok);
      assert.equal(closed.asked.length, times);
    }
  });
});
