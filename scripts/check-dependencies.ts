/**
 * `npm run scan:dependencies [-- OPTIONS]`: holds the lock file against what this project takes from others, without a network.
 *   --advisories=ask       asks the npm registry for known weaknesses too; says so where it does not answer
 *   --advisories=required  the same, and not to be answered is a failure
 *   --folder=FOLDER        of package.json and package-lock.json; else the project's own
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** A package in the lock file (npm, "package-lock.json", lockfileVersion 3), as far as it is read here. */
type Locked = {
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly license?: string;
  readonly deprecated?: string;
  readonly hasInstallScript?: boolean;
};

/** What an answer of `npm audit --json` has, as far as it is read here. */
type Audit = {
  readonly error?: { readonly summary?: string; readonly detail?: string };
  readonly message?: string;
  readonly vulnerabilities?: Readonly<
    Record<
      string,
      { readonly severity: string; readonly range: string; readonly via: readonly unknown[] }
    >
  >;
};

/** What is served to users may be under these; all let it be given on without a condition for the program itself. */
const LICENCES = new Set(
  '0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause BlueOak-1.0.0 CC0-1.0 ISC MIT Unlicense'.split(' '),
);
/** Were looked at, and work without: `npm ci --ignore-scripts` never runs one. A further one is to be looked at, too. */
const WITH_INSTALL_SCRIPT = new Set(['esbuild', 'koffi']);
const EXACT_VERSION = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
const AUDIT_LIMIT_MS = 120_000;

const { values } = parseArgs({
  options: { advisories: { type: 'string' }, folder: { type: 'string' } },
});
const { folder = join(import.meta.dirname, '..'), advisories = 'none' } = values;
if (!['none', 'ask', 'required'].includes(advisories)) {
  console.error('--advisories is ask or required.');
  process.exit(2);
}

const faults = [...judgeManifest(), ...judgeLock()];
if (advisories !== 'none') faults.push(...askForAdvisories());
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);

function judgeManifest(): string[] {
  const { dependencies = {}, devDependencies = {} } =
    readJson<Record<'dependencies' | 'devDependencies', Record<string, string> | undefined>>(
      'package.json',
    );
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !EXACT_VERSION.test(version))
    .map(([name, version]) => `${name}: ${version} is no exact version.`);
}

function judgeLock(): string[] {
  const { packages } = readJson<{ packages: Readonly<Record<string, Locked>> }>(
    'package-lock.json',
  );
  const all = Object.entries(packages).filter(([path]) => path !== '');
  const bad = all.flatMap(([path, locked]) => judge(nameOf(path), locked));
  if (bad.length === 0) console.log(`${all.length} locked packages are what they may be.`);
  return bad;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function judge(name: string, locked: Locked): string[] {
  const { version, resolved, integrity, license = '', deprecated } = locked;
  const one = `${name}@${version}`;
  const isServed = locked.dev !== true;
  const faults: string[] = [];
  // npm leaves the address out for what comes from the registry (`omit-lockfile-registry-resolved`).
  if (resolved !== undefined || locked.link) faults.push(`${one} does not come from the registry.`);
  if (locked.name !== undefined && locked.name !== name) {
    faults.push(`${one} is ${locked.name} under another name.`);
  }
  // npm does not look up the digest of what another platform alone would install.
  if (!/^sha512-/.test(integrity ?? '') && !(locked.optional && integrity === undefined)) {
    faults.push(`${one} has no SHA-512 digest.`);
  }
  if (locked.hasInstallScript && !WITH_INSTALL_SCRIPT.has(name)) {
    faults.push(`${one} wants to run a script when it is installed.`);
  }
  if (deprecated !== undefined) faults.push(`${one} is deprecated: ${deprecated}`);
  if (isServed && !isFree(license)) {
    faults.push(`${one} has the licence ${license || 'that it does not name'}.`);
  }
  return faults;
}

/** One of several will do. */
function isFree(license: string): boolean {
  return license
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((one) => LICENCES.has(one));
}

/** Of what is served to users; a weakness in a tool of the tests is found by whoever looks after the tools. */
function askForAdvisories(): string[] {
  const { stdout, error } = spawnSync(
    'npm',
    ['audit', '--omit=dev', '--json', '--fetch-retries=1', '--fetch-timeout=30000'],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: AUDIT_LIMIT_MS,
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const audit = parseAudit(stdout);
  if (!audit?.vulnerabilities) {
    const { summary, detail } = audit?.error ?? {};
    const why = summary || detail || audit?.message || error?.message || 'npm audit said nothing.';
    const said = `The registry was asked for known weaknesses and did not answer: ${why}`;
    if (advisories === 'required') return [said];
    console.log(`Left out. ${said}`);
    return [];
  }
  const known = Object.entries(audit.vulnerabilities);
  if (known.length === 0) console.log('The registry knows no weakness of what is served.');
  return known.map(
    ([name, { severity, range, via }]) =>
      `${name} ${range} (${severity}): ${via.map(title).join('; ')}`,
  );
}

function parseAudit(text: string): Audit | undefined {
  try {
    return JSON.parse(text) as Audit;
  } catch {
    return undefined;
  }
}

function title(via: unknown): string {
  if (typeof via === 'string') return `by ${via}`;
  const { title: text = '', url = '' } = via as { title?: string; url?: string };
  return `${text} ${url}`;
}

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;
}
