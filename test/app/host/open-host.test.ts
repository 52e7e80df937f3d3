import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeControlDir, openHost } from '../../../app/host/open-host.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const GONE = 2 ** 22 + 1;

test('the folder of a connection is private, and those that killed processes have left are removed', (t) => {
  const parent = makeTempFolder(t);
  const others = [`podup-${process.pid}-aaaaaa`, 'podup-x', 'other'];
  for (const name of [...others, `podup-${GONE}-bbbbbb`]) mkdirSync(join(parent, name));
  const made = makeControlDir(parent);
  assert.equal(statSync(made).mode & 0o777, 0o700);
  const left = readdirSync(parent).filter((name) => join(parent, name) !== made);
  assert.deepEqual(left.sort(), others.sort());
});

test('a target that is no name of a host leaves no folder', (t) => {
  const parent = makeTempFolder(t);
  const settings = { systemdScope: 'user', sshConnectTimeoutMs: 1_000 } as const;
  const opened = openHost(
    { ...settings, sshTarget: '-oProxyCommand=x' },
    { XDG_RUNTIME_DIR: parent },
  );
  assert.equal(!opened.ok && opened.failure.code, 'SSH_UNREACHABLE');
  assert.deepEqual(readdirSync(parent), []);
});
