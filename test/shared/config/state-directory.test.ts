import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findStateDirectory } from '../../../shared/config/state-directory.ts';

const SYSTEM = '/srv/pod-upgrade-trigger';
const EVERYTHING = { STATE_DIRECTORY: '/sd', XDG_STATE_HOME: '/xdg', HOME: '/home/me' };

type Row = readonly [
  title: string,
  configured: string | undefined,
  environment: NodeJS.ProcessEnv,
  writable: readonly string[],
  expected: string | undefined,
];
const ROWS: readonly Row[] = [
  ['the configured one comes first', '/mine', EVERYTHING, [SYSTEM], '/mine'],
  ["then systemd's", undefined, EVERYTHING, [SYSTEM], '/sd'],
  ["the first of several of systemd's", undefined, { STATE_DIRECTORY: '/a:/b' }, [], '/a'],
  ['then the system-wide one', undefined, { ...EVERYTHING, STATE_DIRECTORY: '' }, [SYSTEM], SYSTEM],
  [
    'one that is not writable is passed over',
    undefined,
    { XDG_STATE_HOME: '/xdg', HOME: '/home/me' },
    [],
    '/xdg/pod-upgrade-trigger',
  ],
  [
    'an empty XDG_STATE_HOME is none',
    undefined,
    { XDG_STATE_HOME: '', HOME: '/home/me' },
    [],
    '/home/me/.local/state/pod-upgrade-trigger',
  ],
  [
    'a relative XDG_STATE_HOME is ignored',
    undefined,
    { XDG_STATE_HOME: 'state', HOME: '/home/me' },
    [],
    '/home/me/.local/state/pod-upgrade-trigger',
  ],
  ['without a home there is none', undefined, {}, [], undefined],
  ['an empty home is no home', undefined, { HOME: '' }, [], undefined],
];
for (const [title, configured, environment, writable, expected] of ROWS)
  test(title, () => {
    const isWritable = (path: string) => writable.includes(path);
    assert.equal(findStateDirectory(configured, { environment, isWritable }), expected);
  });
