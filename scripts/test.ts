/**
 * `npm test`: everything. Unit and integration tests run here; those that need a real host run in the lab, each file
 * in a host of its own. What cannot run on this machine is left out and named at the end, never silently.
 *   node scripts/test.ts [WORD...]   only the files whose path contains one of the words, without coverage
 *   node scripts/test.ts --long      what takes too long for every change (`*.long.test.ts`), without coverage
 */
import { spawn, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const coverage = join(root, 'coverage');
const ON_BOTH =
  /\/(push|manual|podman-auto-update|bad-images\.long|podman-timer|pods|templates|unit-kinds|preflight|podman-service|write-image|restart|timer-runs|update-checks|auth-files)\.test\.ts$/;
const TRIXIE = '/var/cache/lab/trixie';
const LABS_AT_A_TIME = 2;
/** Labs in which something has to be done within seconds: they run alone. */
const TIMED = ['rootful/bad-images', 'host/bad-images', 'e2e/push'];
const isLong = process.argv.includes('--long');
const FILE_LIMIT_MS = isLong ? 3_600_000 : 300_000;

type Run = { readonly name: string; readonly argv: readonly string[] };
type Result = { readonly run: Run; readonly passed: number; readonly failed: number };

const words = process.argv.slice(2).filter((word) => word !== '--long');
const isWanted = (path: string) => words.length === 0 || words.some((word) => path.includes(word));

const environment = { ...process.env, NODE_V8_COVERAGE: join(coverage, 'tmp') };
const nodeTest = ['--test', `--test-timeout=${FILE_LIMIT_MS}`, '--test-reporter=spec'];

function find(pattern: string): string[] {
  return globSync(pattern, { cwd: root })
    .sort()
    .filter((path) => isWanted(path) && path.endsWith('.long.test.ts') === isLong);
}

/** Where labs can run, and else why not and what would change that. */
function findObstacle(): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'they need root, for they make namespaces and install Debian packages. Run: sudo npm test';
  }
  if (spawnSync('apt-get', ['--version']).status !== 0) {
    return 'they need Debian 12 or later (apt-get). Run npm test there, as root.';
  }
  for (const script of ['setup', 'setup-trixie']) {
    const setup = spawnSync(join(root, 'test/lab', script), {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (setup.status !== 0)
      return `test/lab/${script} failed: see above. Run it again, then npm test.`;
  }
  return undefined;
}

/** The programs that a test file names in its first line (`// Needs: strace, busybox`) and this machine lacks. */
function findMissing(file: string): string[] {
  const [, needs = ''] = /^\/\/ Needs: (.+)\n/.exec(readFileSync(join(root, file), 'utf8')) ?? [];
  return needs
    .split(', ')
    .filter((name) => name !== '' && spawnSync(name, ['--help']).error !== undefined);
}

function inLab(file: string, lab: readonly string[], label: string): Run {
  return {
    name: `${file} (${label})`,
    argv: [join(root, 'test/lab/run'), ...lab, '--', process.execPath, ...nodeTest, file],
  };
}

async function execute(run: Run): Promise<Result> {
  const [file = '', ...args] = run.argv;
  const child = spawn(file, args, {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const count = (word: string) =>
    Number(new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  const failed = count('fail') + count('cancelled');
  const result = { run, passed: count('pass'), failed: code === 0 ? failed : Math.max(failed, 1) };
  const seconds = Number(/^ℹ duration_ms ([\d.]+)$/m.exec(output)?.[1] ?? 0) / 1000;
  console.log(
    `${result.failed === 0 ? '✔' : '✖'} ${run.name}: ${result.passed} passed, ${result.failed} failed (${seconds.toFixed(1)} s)`,
  );
  if (result.failed > 0) console.log(output);
  return result;
}

async function executeAll(runs: readonly Run[], atATime: number): Promise<Result[]> {
  const waiting = [...runs];
  const results: Result[] = [];
  const lane = async () => {
    for (let run = waiting.shift(); run; run = waiting.shift()) results.push(await execute(run));
  };
  await Promise.all(Array.from({ length: atATime }, lane));
  return results;
}

rmSync(coverage, { recursive: true, force: true });
mkdirSync(join(coverage, 'tmp'), { recursive: true });
const outside = find('test/{app,crash,docs,product,scripts,shared,supervisor,update}/**/*.test.ts');
const inside = find('test/{e2e,host,rootful,ssh}/**/*.test.ts');
// First, for it installs what the others need, too.
const obstacle = inside.length > 0 ? findObstacle() : undefined;
const lacking = outside
  .map((file) => ({ file, missing: findMissing(file) }))
  .filter(({ missing }) => missing.length > 0);
const host = outside.filter((file) => !lacking.some((each) => each.file === file));
const hostRuns: readonly Run[] =
  host.length > 0
    ? [
        {
          name: 'unit and integration tests',
          argv: [process.execPath, ...nodeTest, '--test-concurrency=2', ...host],
        },
      ]
    : [];
const labRuns = inside.flatMap((file) => {
  if (file.startsWith('test/rootful/')) return [inLab(file, ['--rootful'], 'Debian 12, rootful')];
  // They start the labs that they need themselves, as hosts that they reach from outside.
  if (file.startsWith('test/ssh/')) {
    return [
      { name: `${file} (labs reached over SSH)`, argv: [process.execPath, ...nodeTest, file] },
    ];
  }
  const bookworm = inLab(file, [], 'Debian 12, rootless');
  // The main job on both: hand-written units of podman 4.3, Quadlet of podman 5.
  return ON_BOTH.test(file)
    ? [bookworm, inLab(file, ['--root', TRIXIE], 'Debian 13, Quadlet')]
    : [bookworm];
});
// Labs wait more than they work, so those without a time to keep run beside the others.
const isTimed = ({ name }: Run) => TIMED.some((word) => name.includes(word));
const timed = TIMED.flatMap((word) => labRuns.filter(({ name }) => name.includes(word)));
const labs = obstacle === undefined ? labRuns : [];
const untimed = labs.filter((run) => !isTimed(run));
const results = await executeAll([...hostRuns, ...untimed], LABS_AT_A_TIME);
if (obstacle === undefined) results.push(...(await executeAll(timed, 1)));

const passed = results.reduce((sum, result) => sum + result.passed, 0);
let failed = results.reduce((sum, result) => sum + result.failed, 0);
if (words.length === 0 && !isLong) {
  const isComplete = obstacle === undefined && lacking.length === 0;
  const report = spawnSync(
    join(root, 'node_modules/.bin/c8'),
    ['report', ...(isComplete ? ['--check-coverage'] : [])],
    { cwd: root, stdio: 'inherit' },
  );
  if (report.status !== 0) {
    console.log('The coverage is below the thresholds in .c8rc.json.');
    failed++;
  }
}
if (obstacle !== undefined) {
  console.log(`\nLeft out, because ${obstacle}`);
  for (const run of labRuns) console.log(`  - ${run.name}`);
}
if (lacking.length > 0) console.log('\nLeft out, for programs are missing here:');
for (const { file, missing } of lacking) console.log(`  - ${file}: ${missing.join(', ')}`);
if (obstacle !== undefined || lacking.length > 0) {
  console.log('  - the coverage thresholds, which count those suites in');
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
