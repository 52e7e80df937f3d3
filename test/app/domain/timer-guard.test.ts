import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isPlainPath, planGuards, serviceFiles } from '../../../app/domain/timer-guard.ts';

const FOLDERS = { units: '/home/u/.config/systemd/user', containers: '/home/u/.config/containers' };
const QUADLET = '/home/u/.config/containers/systemd/web.container';
const LIST = '/home/u/.config/containers/podup-quarantine.conf';
const DROP_IN =
  '/home/u/.config/systemd/user/podman-auto-update.service.d/50-podup-quarantine.conf';

const web = (sourcePath: string, image = 'ghcr.io/o/web:stable') => ({
  unit: 'web.service',
  image,
  sourcePath,
});

describe('how the timer of podman is kept off a unit', () => {
  test('nothing in quarantine leaves nothing', () => {
    const { files, ofUnit } = planGuards([], 5, FOLDERS);
    assert.deepEqual([files.size, ofUnit.size], [0, 0]);
  });

  test('a Quadlet unit loses its label, from podman 5 on', () => {
    const { files, ofUnit } = planGuards([web(QUADLET)], 5, FOLDERS);
    const file = `${QUADLET}.d/50-podup-quarantine.conf`;
    assert.deepEqual([...files.keys()], [file]);
    assert.match(files.get(file) ?? '', /\n\[Container\]\nAutoUpdate=\n$/);
    assert.equal(ofUnit.get('web.service'), file);
  });

  for (const [what, sourcePath, major] of [
    ['a unit with a file of its own', '', 5],
    ['a Quadlet unit of podman 4', QUADLET, 4],
    ['a unit of another generator', '/home/u/x.pod', 5],
  ] as const) {
    test(`${what}: its repository is blocked for the service of the timer`, () => {
      const { files, ofUnit } = planGuards([web(sourcePath)], major, FOLDERS);
      assert.deepEqual([...files.keys()], [LIST, DROP_IN]);
      const block =
        /\[\[registry\]\]\nprefix = "ghcr.io\/o\/web"\nlocation = .*\nblocked = true\n$/;
      assert.match(files.get(LIST) ?? '', block);
      assert.equal(ofUnit.get('web.service'), LIST);
      assert.match(files.get(DROP_IN) ?? '', /CONTAINERS_REGISTRIES_CONF=%t\//);
      assert.deepEqual(serviceFiles(FOLDERS), [LIST, DROP_IN]);
    });
  }

  test('two units of one repository are one block, and what the manager names is the base', () => {
    const units = [web(''), { ...web('', 'ghcr.io/o/web:other'), unit: 'b.service' }];
    const { files, ofUnit } = planGuards(units, 5, FOLDERS, '/etc/my registries.conf');
    assert.equal(files.get(LIST)?.match(/prefix/g)?.length, 1);
    assert.equal(ofUnit.size, 2);
    assert.match(files.get(DROP_IN) ?? '', /f="\/etc\/my registries.conf"/);
  });

  test('an image that is no reference is left alone', () => {
    const { files, ofUnit } = planGuards([web('', 'x"y')], 5, FOLDERS);
    assert.deepEqual([files.size, ofUnit.size], [0, 0]);
  });

  test('a path with anything that a shell or systemd reads is not plain', () => {
    assert.equal(isPlainPath('/etc/a b/c-1.conf'), true);
    for (const path of ['x', '/a"b', '/a$b', '/a%b', "/a'b", '/a`b', '/a\\b', '/a\nb', '']) {
      assert.equal(isPlainPath(path), false, path);
    }
  });
});
