import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRunImage, pullsAtEachStart } from '../../../app/domain/podman-run-image.ts';

const ROWS: readonly (readonly [line: string, image: string | undefined])[] = [
  ['/usr/bin/podman run img', 'img'],
  ['podman run img run other', 'img'],
  ['podman container run img', 'img'],
  // As Quadlet writes it.
  [
    '/usr/bin/podman run --name systemd-web --replace --rm --cgroups=split --network net --sdnotify=conmon -d -v data:/data --label a=b --env K=V ghcr.io/o/web:1 serve --fast',
    'ghcr.io/o/web:1',
  ],
  // As podman generate systemd --new writes it.
  [
    '/usr/bin/podman run --cidfile=/run/x.ctr-id --cgroups=no-conmon --rm --sdnotify=conmon --replace -d --name web -p 80:80 docker.io/library/nginx',
    'docker.io/library/nginx',
  ],
  ['podman --log-level debug --cgroup-manager=systemd run img', 'img'],
  ['podman --remote run img', 'img'],
  ['podman -r run img', 'img'],
  ['podman -c connection run img', 'img'],
  ['podman run -dit img', 'img'],
  ['podman run -de K=V img', 'img'],
  ['podman run -deK=V img', 'img'],
  ['podman run -d=true img', 'img'],
  ['podman run -P img', 'img'],
  ['podman run -p 80 img', 'img'],
  ['podman run --tls-verify=false img', 'img'],
  ['podman run --tls-verify img', 'img'],
  ['podman run --init --read-only --privileged img', 'img'],
  ['podman run --name web -- img', 'img'],
  ['podman run -- img --rootfs', 'img'],
  ['podman run img --rootfs', 'img'],
  ['podman run --rootfs /path', undefined],
  ['podman run --rm --rootfs=true /path sh', undefined],
  ['podman run --rm', undefined],
  ['podman run --name', undefined],
  ['podman run', undefined],
  ['podman', undefined],
  ['podman start web', undefined],
  ['podman container start web', undefined],
  ['podman create img', undefined],
  ['/usr/bin/docker run img', undefined],
  ['/usr/bin/podman-remote run img', undefined],
  ['sh -c podman-run-img', undefined],
  ['', undefined],
];
for (const [line, image] of ROWS)
  test(`${line.slice(0, 60) || 'nothing'} runs ${image ?? 'no image that we know'}`, () => {
    const argv = line === '' ? [] : line.split(' ');
    assert.equal(findRunImage(argv), image);
  });

test('a value that looks like an option is still the value of the option before it', () => {
  assert.equal(findRunImage(['podman', 'run', '--entrypoint', '--x', 'img']), 'img');
});

test('a word that is a single dash is an image, as podman takes it', () => {
  assert.equal(findRunImage(['podman', 'run', '--rm', '-', 'img']), '-');
});

for (const [words, expected] of [
  ['podman run --pull=always img', true],
  ['podman run --pull always -d img', true],
  ['/usr/bin/podman run --name x --pull=newer img', true],
  ['podman run --pull=missing img', false],
  ['podman run --pull never img', false],
  ['podman run img --pull=always', false],
  ['podman start --pull=always x', false],
] as const) {
  test(`${words}: ${expected ? 'asks the registry at each start' : 'runs what lies here'}`, () => {
    assert.equal(pullsAtEachStart(words.split(' ')), expected);
  });
}
