import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasEndMark, readMarks } from '../../../../app/host/ssh/read-marks.ts';
import type { CommandEnd } from '../../../../shared/process/run-command.ts';

const BEGAN = 'podup-ab12 began 0;';
const exited = (code: number) => `podup-ab12 exited ${code};`;

describe('the marks on stderr', () => {
  const ROWS: readonly (readonly [
    title: string,
    text: string,
    hasBegun: boolean,
    end: CommandEnd | undefined,
    stderr: string,
  ])[] = [
    ['none', '', false, undefined, ''],
    ['none, and words of ssh', 'Denied.\n', false, undefined, 'Denied.\n'],
    ['begun only', `noise\n${BEGAN}err\n`, true, undefined, 'err\n'],
    ['both', `${BEGAN}${exited(0)}`, true, { kind: 'exited', code: 0 }, ''],
    [
      'both, and words around',
      `noise\n${BEGAN}err\nlast${exited(3)}late\n`,
      true,
      { kind: 'exited', code: 3 },
      'err\nlastlate\n',
    ],
    [
      'those of others',
      `${BEGAN}podup-ffff exited 0;podup-ab12 exited;${exited(1)}`,
      true,
      { kind: 'exited', code: 1 },
      'podup-ffff exited 0;podup-ab12 exited;',
    ],
    [
      'an end whose beginning was left out',
      `\n[... 9 bytes left out ...]\nerr${exited(5)}`,
      false,
      { kind: 'exited', code: 5 },
      '',
    ],
    [
      'no such program',
      'noise podup-ab12 missing 0;',
      false,
      { kind: 'not-started', reason: 'ENOENT' },
      '',
    ],
    ['no program', 'podup-ab12 denied 0;', false, { kind: 'not-started', reason: 'EACCES' }, ''],
  ];
  for (const [title, text, hasBegun, end, stderr] of ROWS)
    test(title, () => {
      assert.deepEqual(readMarks(text, 'ab12'), { hasBegun, end, stderr });
      assert.equal(hasEndMark(text, 'ab12'), end !== undefined);
    });

  const CODES: readonly (readonly [code: number, end: CommandEnd])[] = [
    [128, { kind: 'exited', code: 128 }],
    [129, { kind: 'signalled', signal: 'SIGHUP' }],
    [137, { kind: 'signalled', signal: 'SIGKILL' }],
    [143, { kind: 'signalled', signal: 'SIGTERM' }],
    [159, { kind: 'signalled', signal: 'SIGSYS' }],
    [160, { kind: 'exited', code: 160 }],
    [255, { kind: 'exited', code: 255 }],
  ];
  for (const [code, end] of CODES)
    test(`a shell says ${code}`, () => {
      assert.deepEqual(readMarks(`${BEGAN}${exited(code)}`, 'ab12').end, end);
    });
});
