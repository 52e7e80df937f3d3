import assert from 'node:assert/strict';
import { test } from 'node:test';
import { platformOf, programAsset } from '../../../app/domain/release-files.ts';

test('a program is built for glibc on x86-64 Linux only', () => {
  const assets = [
    { platform: 'linux', arch: 'x64', isGlibc: true },
    { platform: 'linux', arch: 'x64', isGlibc: false },
    { platform: 'linux', arch: 'arm64', isGlibc: true },
    { platform: 'linux', arch: 'riscv64', isGlibc: true },
    { platform: 'darwin', arch: 'x64', isGlibc: false },
  ].map((host) => [platformOf(host), programAsset(platformOf(host))]);
  assert.deepEqual(assets, [
    ['x86_64-unknown-linux-gnu', 'pod-upgrade-trigger-x86_64-unknown-linux-gnu'],
    ['x86_64-unknown-linux-other', undefined],
    ['aarch64-unknown-linux-gnu', undefined],
    ['riscv64-unknown-linux-gnu', undefined],
    ['x86_64-unknown-darwin-other', undefined],
  ]);
});
