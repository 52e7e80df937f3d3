// Needs: dash, busybox, bash, strace
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const LAUNCHER = join(import.meta.dirname, '../../scripts/launch.sh');
const MAX_LINES = 60;
/** As which it is run: /bin/sh is one of these nearly everywhere. */
const SHELLS: readonly (readonly string[])[] = [['dash'], ['busybox', 'sh'], ['bash', '--posix']];
/** A program that says who it is, as what, and with what. */
const sayAs = (name: string) =>
  `#!/bin/sh\necho "${name} $PODUP_LAUNCHED_SLOT $$ $#$(printf ' <%s>' "$@")"\n`;
const PROGRAM = sayAs('$(basename "$0")');
const SENTENCE = /^launch\.sh: neither .*podup nor .*podup\.old can be started\.$/gm;

/** What lies in place of a program file. */
const FILES = {
  whole: (path: string) => writeFileSync(path, PROGRAM, { mode: 0o700 }),
  missing: () => {},
  'not executable': (path: string) => writeFileSync(path, PROGRAM, { mode: 0o600 }),
  empty: (path: string) => writeFileSync(path, '', { mode: 0o700 }),
  zeros: (path: string) => writeFileSync(path, Buffer.alloc(4096), { mode: 0o700 }),
  'a text': (path: string) => writeFileSync(path, 'echo never\n', { mode: 0o700 }),
  'a folder': (path: string) => mkdirSync(path),
  'a script without an interpreter': (path: string) =>
    writeFileSync(path, '#!/nowhere/node\n', { mode: 0o700 }),
} as const;
type Kind = keyof typeof FILES;

type Place = { readonly folder: string; readonly target: string };

/** A folder with a program and the one before it. */
function makePlace(t: TestContext, target: Kind, old: Kind, tries?: string): Place {
  const folder = makeTempFolder(t);
  const path = join(folder, 'podup');
  FILES[target](path);
  FILES[old](`${path}.old`);
  if (tries !== undefined) writeFileSync(`${path}.tries`, tries);
  return { folder, target: path };
}

function launch(
  shell: readonly string[],
  environment: NodeJS.ProcessEnv,
  ...args: string[]
): SpawnSyncReturns<string> {
  const [file = '', ...words] = shell;
  const env = { PATH: process.env['PATH'], ...environment };
  return spawnSync(file, [...words, LAUNCHER, ...args], { encoding: 'utf8', env });
}

/** What was started, as `NAME SLOT`; the exit code where nothing was. */
function started(shell: readonly string[], place: Place): string {
  const { stdout, status } = launch(shell, { PODUP_TARGET_BIN: place.target });
  return stdout === '' ? String(status) : stdout.split(' ').slice(0, 2).join(' ');
}

const TARGET = 'podup target';
const OLD = 'podup.old old';

type Row = readonly [
  target: Kind,
  old: Kind,
  tries: string | undefined,
  starts: string,
  left?: string,
];
const ROWS: readonly Row[] = [
  // No update is open.
  ['whole', 'whole', undefined, TARGET],
  ['whole', 'missing', undefined, TARGET],
  // Tries are left.
  ['whole', 'whole', '3\n', TARGET, '2\n'],
  ['whole', 'whole', '1', TARGET, '0\n'],
  ['whole', 'whole', '10\n', TARGET, '9\n'],
  ['whole', 'whole', '999\n', TARGET, '998\n'],
  ['whole', 'missing', '3\n', TARGET, '2\n'],
  // None are left, or nobody knows how many.
  ...['0\n', '', '\n', 'x', '-1', '08', '010', '1.5', ' 2', '2 ', '2\n2\n', '1000', '\0\0'].map(
    (tries): Row => ['whole', 'whole', tries, OLD, tries],
  ),
  ['whole', 'whole', `${'9'.repeat(100_000)}`, OLD, '9'.repeat(100_000)],
  // … and there is nothing else to start.
  ['whole', 'missing', '0\n', TARGET, '0\n'],
  ['whole', 'missing', 'x', TARGET, 'x'],
  ['whole', 'zeros', '0\n', TARGET, '0\n'],
  // The program cannot be started.
  ...(Object.keys(FILES) as Kind[])
    .filter((kind) => kind !== 'whole')
    .flatMap((kind): Row[] => [
      [kind, 'whole', undefined, OLD],
      [kind, 'missing', undefined, '127'],
    ]),
  ['missing', 'whole', '3\n', OLD, '3\n'],
  ['missing', 'missing', '3\n', '127', '3\n'],
  ['missing', 'not executable', undefined, '127'],
  ['missing', 'a text', undefined, '127'],
];

for (const shell of SHELLS)
  describe(`under ${shell.join(' ')}`, () => {
    for (const [target, old, tries, starts, left] of ROWS) {
      const having = tries === undefined ? '' : `, tries ${JSON.stringify(tries.slice(0, 9))}`;
      test(`program ${target}, former one ${old}${having}: ${starts}`, (t) => {
        const place = makePlace(t, target, old, tries);
        assert.equal(started(shell, place), starts);
        const path = `${place.target}.tries`;
        assert.equal(existsSync(path) ? readFileSync(path, 'utf8') : undefined, left);
        assert.deepEqual(
          readdirSync(place.folder).filter((name) => name.endsWith('.tmp')),
          [],
        );
      });
    }

    test('tries that cannot be read are none', (t) => {
      const place = makePlace(t, 'whole', 'whole');
      mkdirSync(`${place.target}.tries`);
      assert.equal(started(shell, place), OLD);
    });

    test('a start that cannot be counted does not happen', (t) => {
      const place = makePlace(t, 'whole', 'whole', '3\n');
      mkdirSync(`${place.target}.tries.tmp`);
      assert.equal(started(shell, place), OLD);
      assert.equal(readFileSync(`${place.target}.tries`, 'utf8'), '3\n');
    });

    test('tries are used up one by one, then the former program takes over', (t) => {
      const place = makePlace(t, 'whole', 'whole', '2\n');
      const seen = [1, 2, 3, 4].map(() => started(shell, place));
      assert.deepEqual(seen, [TARGET, TARGET, OLD, OLD]);
    });

    test('a program of which only the head is left does not keep the former one from starting', (t) => {
      const place = makePlace(t, 'missing', 'whole', '1\n');
      writeFileSync(place.target, Buffer.from('7f454c46020101', 'hex'), { mode: 0o700 });
      // busybox takes what the kernel refuses for a script, and fails; that was counted.
      assert.equal(started(shell, place), shell[0] === 'busybox' ? '127' : OLD);
      assert.equal(started(shell, place), OLD);
    });

    test('the program keeps the process, so that systemd and containers know it', (t) => {
      for (const [target, tries] of [['whole', '3\n'], ['whole', '0\n'], ['missing']] as const) {
        const place = makePlace(t, target, 'whole', tries);
        const { stdout, pid } = launch(shell, { PODUP_TARGET_BIN: place.target });
        assert.equal(stdout.split(' ')[2], String(pid));
      }
    });

    test('the program gets the arguments as they are', (t) => {
      for (const target of ['whole', 'missing', 'a script without an interpreter'] as const) {
        const place = makePlace(t, target, 'whole');
        const environment = { PODUP_TARGET_BIN: place.target };
        const { stdout } = launch(shell, environment, 'intake', 'a  b', '', '*', '$(id)');
        assert.match(stdout, / 5 <intake> <a {2}b> <> <\*> <\$\(id\)>\n$/);
        assert.match(launch(shell, environment).stdout, / 1 <supervise>\n$/);
      }
    });

    test('where there is nothing to start it says so in one sentence', (t) => {
      for (const target of ['missing', 'a script without an interpreter'] as const) {
        const place = makePlace(t, target, 'missing');
        const { status, stdout, stderr } = launch(shell, { PODUP_TARGET_BIN: place.target });
        assert.deepEqual({ status, stdout }, { status: 127, stdout: '' });
        // What the shell itself says of a start that failed stands before it.
        assert.equal(stderr.match(SENTENCE)?.length, 1, stderr);
        if (target === 'missing') assert.equal(stderr.trim().split('\n').length, 1);
      }
    });

    test('PODUP_TARGET_BIN comes before TARGET_BIN, and both before the home', (t) => {
      const [first, second, home] = [1, 2, 3].map(() => makePlace(t, 'whole', 'missing'));
      assert.ok(first && second && home);
      const bin = join(home.folder, '.local/bin');
      mkdirSync(bin, { recursive: true });
      writeFileSync(join(bin, 'pod-upgrade-trigger'), sayAs('home'), {
        mode: 0o700,
      });
      writeFileSync(second.target, sayAs('second'), { mode: 0o700 });
      const HOME = home.folder;
      const nameOf = (environment: NodeJS.ProcessEnv) =>
        launch(shell, environment).stdout.split(' ')[0];
      const both = { PODUP_TARGET_BIN: first.target, TARGET_BIN: second.target, HOME };
      assert.equal(nameOf(both), 'podup');
      assert.equal(nameOf({ ...both, PODUP_TARGET_BIN: '' }), 'second');
      assert.equal(nameOf({ HOME, PODUP_TARGET_BIN: '', TARGET_BIN: '' }), 'home');
      assert.equal(nameOf({ HOME }), 'home');
      assert.equal(launch(shell, {}).status, 127);
    });

    test('a name without a folder is one of this folder, and not looked for in PATH', (t) => {
      const [here, elsewhere] = [
        makePlace(t, 'whole', 'missing'),
        makePlace(t, 'whole', 'missing'),
      ];
      writeFileSync(elsewhere.target, sayAs('elsewhere'), { mode: 0o700 });
      const PATH = `${elsewhere.folder}:${process.env['PATH']}`;
      const { stdout } = launch(['env', '-C', here.folder, ...shell], {
        PATH,
        PODUP_TARGET_BIN: 'podup',
      });
      assert.ok(stdout.startsWith(TARGET), stdout);
    });

    test('what a link names is the program, with the former one and the tries beside it', (t) => {
      const place = makePlace(t, 'whole', 'whole', '1\n');
      const link = join(makeTempFolder(t), 'link to it');
      symlinkSync(place.target, link);
      const linked = { ...place, target: link };
      assert.deepEqual([started(shell, linked), started(shell, linked)], [TARGET, OLD]);
      rmSync(place.target);
      assert.equal(started(shell, linked), OLD);
    });

    test('a start is counted durably before it happens', (t) => {
      const place = makePlace(t, 'whole', 'whole', '3\n');
      assert.deepEqual(traceCalls(t, shell, place), [
        'write podup.tries.tmp',
        'fsync podup.tries.tmp',
        'rename podup.tries.tmp podup.tries',
        'fsync .',
        'execve podup',
      ]);
    });
  });

describe('a program of the host that fails', () => {
  const PROGRAMS = [
    ['sync', OLD, 'for the count did not reach the disk'],
    ['mv', OLD, 'for nothing was counted'],
    ['cat', OLD, 'for nobody knows the count'],
    ['od', TARGET, 'for it only looks for what would fail anyway'],
  ] as const;
  // busybox runs its own, whatever PATH says.
  for (const shell of SHELLS.filter(([file]) => file !== 'busybox'))
    for (const [program, starts, why] of PROGRAMS)
      test(`under ${shell[0]}, ${program}: ${starts}, ${why}`, (t) => {
        const place = makePlace(t, 'whole', 'whole', '3\n');
        const bin = makeTempFolder(t);
        writeFileSync(join(bin, program), '#!/bin/sh\nexit 1\n', { mode: 0o700 });
        const PATH = `${bin}:${process.env['PATH']}`;
        const { stdout } = launch(shell, { PATH, PODUP_TARGET_BIN: place.target });
        assert.ok(stdout.startsWith(starts), stdout);
      });
});

test(`it is executable and at most ${MAX_LINES} lines long, so that it can be right for ever`, () => {
  const lines = readFileSync(LAUNCHER, 'utf8').trimEnd().split('\n');
  assert.equal(lines[0], '#!/bin/sh');
  assert.ok(lines.length <= MAX_LINES, `${lines.length} lines`);
  assert.ok((statSync(LAUNCHER).mode & 0o111) === 0o111);
});

/** What the launcher asks of the system in the folder of the program and is not refused, in order. */
function traceCalls(t: TestContext, shell: readonly string[], place: Place): string[] {
  const log = join(makeTempFolder(t), 'calls');
  const filter = 'trace=write,fsync,fdatasync,rename,renameat,renameat2,execve';
  const strace = ['strace', '-f', '-y', '-s', '200', '-e', filter, '-o', log];
  launch([...strace, ...shell], { PODUP_TARGET_BIN: place.target });
  const mark = place.folder.slice(-6);
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => / = \d+$/.test(line))
    .flatMap((line) => {
      const [, call = '', first = ''] = /^\d+ +([a-z]+?)(?:at2?)?\(([^,]*)/.exec(line) ?? [];
      // Of a program that is started only its name counts, not what it is to work on.
      const text = call === 'execve' ? first : line;
      const names = [...text.matchAll(new RegExp(`["<][^">]*-${mark}/?([^">]*)[">]`, 'g'))];
      return names.length > 0 ? [[call, ...names.map(([, name]) => name || '.')].join(' ')] : [];
    });
}
