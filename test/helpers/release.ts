import { createHash, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Behaviour, NEXT_MIGRATION, toEffects } from './release-behaviours.ts';
import { type ReleaseEntry, releaseBody } from './release-body.ts';

/** The program of a release for the platform that there is. */
export const ASSET = 'pod-upgrade-trigger-x86_64-unknown-linux-gnu';

/** A program file that was built, and what its publisher would say of it. */
export type Release = {
  readonly file: string;
  readonly version: string;
  /** `v` and the version. */
  readonly tag: string;
  readonly commit: string;
  readonly generation: number;
  readonly digest: string;
  readonly bytes: number;
  /** The newest migration that it knows. */
  readonly schema: number;
};

/** What a release is built from. */
export type ReleaseOptions = {
  readonly version: string;
  readonly generation?: number;
  readonly folder: string;
  /** The name of the file; default: of the asset with the version behind it. */
  readonly name?: string;
  readonly break?: Behaviour | readonly Behaviour[];
  /** Makes another file of the same version. */
  readonly commit?: string;
  /** Default: the program as users run it. */
  readonly entry?: ReleaseEntry;
  /** Code that runs before the program, in the scope of `role`, for what no behaviour stands for. */
  readonly prologue?: string;
};

/**
 * Builds a real program from the sources: one executable file that needs nothing beside it but the Node and the native
 * packages of this checkout. It runs under any name, as TARGET.new and TARGET.old do.
 */
export async function buildRelease(options: ReleaseOptions): Promise<Release> {
  const { version, folder, commit = 'test', generation = 1 } = options;
  const { prologue, migrations } = toEffects([options.break ?? []].flat());
  const values = { version, commit, migrations };
  const content = [
    `#!${realpathSync(process.execPath)}`,
    `const RELEASE = ${JSON.stringify(values)};`,
    PREPARE,
    prologue,
    options.prologue ?? '',
    `const BODY = ${await releaseBody(options.entry)};`,
    START,
  ].join('\n');
  const file = join(folder, options.name ?? `${ASSET}-${version}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, 0o755);
  return {
    file,
    version,
    tag: `v${version}`,
    commit,
    generation,
    digest: createHash('sha256').update(content).digest('hex'),
    bytes: Buffer.byteLength(content),
    schema: migrations.at(-1)?.plain.version ?? NEXT_MIGRATION - 1,
  };
}

/** Before the program: what the build puts in, and who is called. */
const PREPARE = `
const threads = require('node:worker_threads');
const role = threads.isMainThread ? process.argv[2] : 'thread';
if (threads.isMainThread) threads.setEnvironmentData('release-command', role);
const ownFile = require('node:url').pathToFileURL(__filename).href;
Object.assign(globalThis, {
  RELEASE_VERSION: RELEASE.version,
  RELEASE_COMMIT: RELEASE.commit,
  RELEASE_FILE: ownFile,
  // The thread of the worker migrates; in a self-check there is such a thread too.
  RELEASE_MIGRATIONS: RELEASE.migrations.map(({ plain, worker }) =>
    threads.getEnvironmentData('release-command') === 'http-server' ? worker : plain),
});`;

/**
 * A module cannot be run as TARGET.new, for Node goes by the ending of the name; a script can. So this is a script that
 * carries the module as a text.
 */
const START = `
require('node:module').registerHooks({
  load: (url, context, next) =>
    url === ownFile + '?module' ? { format: 'module', source: BODY, shortCircuit: true } : next(url, context),
});
import(ownFile + '?module');
`;

/** Somebody who signs releases. */
export type Signer = {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** For PODUP_RELEASE_PUBLIC_KEYS. */
  readonly setting: string;
};

/** Makes a key of a publisher. */
export function makeSigner(keyId = 'publisher'): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const base64 = Buffer.from(x, 'base64url').toString('base64');
  return { keyId, privateKey, setting: `${keyId}:${base64}` };
}

/** How a release is laid out, and what is wrong with it. */
export type PublishOptions = {
  readonly sign?: Signer | readonly Signer[];
  readonly prerelease?: boolean;
  readonly draft?: boolean;
  /** Default: the release's own. */
  readonly tag?: string;
  /** Fields of the manifest that are not as they should be. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** The digest in the .sha256 file, where it is not the real one. */
  readonly sha256?: string;
  /** Endings of files that are left out; `` is the program itself. */
  readonly without?: readonly ('' | '.sha256' | '.manifest.json' | '.manifest.json.sig')[];
  /** Leaves releases.json as it is. */
  readonly unlisted?: boolean;
};

/** Lays a release out in a folder as a mirror has it: `releases.json` and `TAG/ASSET`. */
export function publish(folder: string, release: Release, options: PublishOptions = {}): void {
  const tag = options.tag ?? release.tag;
  const place = join(folder, tag);
  const left = (ending: NonNullable<PublishOptions['without']>[number]) =>
    !options.without?.includes(ending);
  const put = (ending: '.sha256' | '.manifest.json' | '.manifest.json.sig', content: string) => {
    if (left(ending)) writeFileSync(join(place, `${ASSET}${ending}`), content);
  };
  mkdirSync(place, { recursive: true });
  if (left('')) cpSync(release.file, join(place, ASSET));
  const manifest = `${JSON.stringify({ ...toManifest(release), ...options.manifest }, null, 2)}\n`;
  put('.sha256', `${options.sha256 ?? release.digest}  ${ASSET}\n`);
  put('.manifest.json', manifest);
  const signers = [options.sign ?? []].flat();
  if (signers.length > 0) put('.manifest.json.sig', signManifest(manifest, signers));
  if (options.unlisted) return;
  const listing = join(folder, 'releases.json');
  const listed: { tag: string }[] = existsSync(listing)
    ? JSON.parse(readFileSync(listing, 'utf8'))
    : [];
  const { version } = release;
  const { prerelease = false, draft = false } = options;
  const entry = { tag, version, prerelease, ...(draft && { draft }) };
  writeFileSync(listing, JSON.stringify([entry, ...listed.filter((other) => other.tag !== tag)]));
}

/** The manifest of a release as it should be. */
export function toManifest(release: Release) {
  const { version, commit, bytes, digest, generation, schema } = release;
  return {
    v: 1,
    product: 'pod-upgrade-trigger',
    version,
    commit,
    platform: 'x86_64-unknown-linux-gnu',
    bytes,
    sha256: digest,
    generation,
    schema: { min: 0, max: schema },
    publishedAt: '2026-11-26T12:00:00Z',
  };
}

/** The text of a signature file over exactly this manifest. */
function signManifest(manifest: string, signers: readonly Signer[]): string {
  const signatures = signers.map(({ keyId, privateKey }) => ({
    keyId,
    signature: signBytes(null, Buffer.from(manifest), privateKey).toString('base64'),
  }));
  return `${JSON.stringify({ v: 1, signatures }, null, 2)}\n`;
}
