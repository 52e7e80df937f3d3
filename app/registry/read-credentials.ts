import * as z from 'zod';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import type { AuthEnvironment } from '../domain/auth-environment.ts';
import { type ImageRepository, repositoryOf } from '../domain/image-reference.ts';
import { askCredentialHelper } from './ask-credential-helper.ts';
import { codeOf } from './explain-failure.ts';

/** What proves who asks. `authFile` is the file that held it or named its helper. */
export type Credentials = { readonly authFile: string } & (
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly identityToken: string }
);

/** Reads a small text file; rejects with a Node error code where it cannot. */
export type ReadText = (path: string) => Promise<string>;

/** How files are read and helpers are run, on the host whose credentials count. */
export type CredentialReaders = { readonly readText: ReadText; readonly run: RunCommand };

type HelperContext = {
  readonly path: string;
  readonly run: RunCommand;
  readonly signal: AbortSignal | undefined;
};

const MISSING = ['ENOENT', 'ENOTDIR'];
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** docker's first one: no more than its `auths`, and these by host alone. */
const LEGACY_FILE = '.dockercfg';
const HUB = 'docker.io';
const HUB_HOSTS = [HUB, 'index.docker.io', 'registry-1.docker.io'];
/** What `docker login` files Docker Hub under. */
const HUB_KEY = 'https://index.docker.io/v1/';

const ENTRY = z.object({ auth: z.string().optional(), identitytoken: z.string().optional() });
const AUTH_FILE = z.object({
  auths: z.record(z.string(), ENTRY).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});

type AuthFile = z.output<typeof AUTH_FILE>;
type Found = Outcome<Credentials | undefined>;

/**
 * The files in which podman looks for credentials, in its order (containers-auth.json(5)). One that the environment chooses
 * (`chosenAuthFile`) comes first, or, where podman is `isStrict`, is the only one.
 */
export function authFileCandidates(environment: AuthEnvironment, isStrict: boolean): string[] {
  const { XDG_RUNTIME_DIR, XDG_CONFIG_HOME, DOCKER_CONFIG, HOME, uid } = environment;
  const chosen = chosenAuthFile(environment);
  if (chosen !== undefined && isStrict) return [chosen];
  const config = XDG_CONFIG_HOME || (HOME && `${HOME}/.config`);
  const docker = DOCKER_CONFIG || (HOME && `${HOME}/.docker`);
  // Without the variable podman takes for a user what it would say.
  const runtime = XDG_RUNTIME_DIR || (uid === 0 ? '' : `/run/user/${uid}`);
  const primary = runtime ? `${runtime}/containers/auth.json` : '/run/containers/0/auth.json';
  const files = [
    chosen ?? primary,
    ...(config ? [`${config}/containers/auth.json`] : []),
    ...(docker ? [`${docker}/config.json`] : []),
    ...(HOME ? [`${HOME}/${LEGACY_FILE}`] : []),
  ];
  return [...new Set(files)];
}

/**
 * The file that the environment has podman read in place of its own (podman-login(1), `--authfile`); undefined where it
 * chooses none. Of the two variables REGISTRY_AUTH_FILE wins.
 */
export function chosenAuthFile({
  REGISTRY_AUTH_FILE,
  DOCKER_CONFIG,
}: AuthEnvironment): string | undefined {
  return REGISTRY_AUTH_FILE || (DOCKER_CONFIG ? `${DOCKER_CONFIG}/config.json` : undefined);
}

/**
 * The first credentials for the image in the files, in their order; undefined where none has any. A missing file is
 * fine; one that cannot be read, or whose helper fails, is REGISTRY_CREDENTIALS_UNREADABLE. `signal` ends a helper.
 */
export async function findCredentials(
  image: ImageRepository,
  authFiles: readonly string[],
  { readText, run }: CredentialReaders,
  signal?: AbortSignal,
): Promise<Found> {
  for (const path of authFiles) {
    const file = await loadFile(path, readText);
    if (!file.ok) return file;
    if (!file.value) continue;
    const found = await findInFile(file.value, image, { path, run, signal });
    if (!found.ok || found.value) return found;
  }
  return succeed(undefined);
}

async function loadFile(path: string, readText: ReadText): Promise<Outcome<AuthFile | undefined>> {
  let text: string;
  try {
    text = await readText(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    if (MISSING.includes(code)) return succeed(undefined);
    return fail('REGISTRY_CREDENTIALS_UNREADABLE', `${path} cannot be read (${code}).`);
  }
  const json = parseJson(text);
  const file = AUTH_FILE.safeParse(isLegacy(path) ? { auths: json } : json);
  if (file.success) return succeed(file.data);
  // What the parsers say is left out: it quotes the file.
  return fail('REGISTRY_CREDENTIALS_UNREADABLE', `${path} is no valid credentials file.`);
}

function isLegacy(path: string): boolean {
  return path.endsWith(`/${LEGACY_FILE}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A helper of the registry decides alone, as with podman. The general `credsStore` comes last, for podman does not
 * know it: an entry that podman would use is preferred, and a store that is not installed here is passed over.
 */
async function findInFile(
  file: AuthFile,
  image: ImageRepository,
  { path, run, signal }: HelperContext,
): Promise<Found> {
  const host = hostOf(image.registry);
  const helpers = Object.entries(file.credHelpers ?? {});
  const [server, helper] =
    helpers.find(([key]) => key === image.registry) ??
    helpers.find(([key]) => hostOf(key) === host) ??
    [];
  if (server !== undefined && helper !== undefined) {
    const asked = await askCredentialHelper(helper, server, path, run, signal);
    if (!asked.ok) return asked;
    if (asked.value !== 'not-installed') return succeed(asked.value);
    const program = `docker-credential-${helper}`;
    return fail('REGISTRY_CREDENTIALS_UNREADABLE', `${path} names ${program}, which is not there.`);
  }
  const stored = decodeEntry(entryFor(file, image, isLegacy(path)), path);
  if (!stored.ok || stored.value || !file.credsStore) return stored;
  const storeKey = host === HUB ? HUB_KEY : image.registry;
  const asked = await askCredentialHelper(file.credsStore, storeKey, path, run, signal);
  if (!asked.ok) return asked;
  return succeed(asked.value === 'not-installed' ? undefined : asked.value);
}

/** The longest path prefix first (containers-auth.json(5)), then keys that mean the same host. */
function entryFor(
  file: AuthFile,
  image: ImageRepository,
  byHost: boolean,
): z.output<typeof ENTRY> | undefined {
  const entries = new Map(Object.entries(file.auths ?? {}));
  const host = hostOf(image.registry);
  const parts = repositoryOf(image).split('/');
  const all = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
  const prefixes = byHost ? all.slice(-1) : all;
  const keys = host === HUB ? [...prefixes, HUB_KEY] : prefixes;
  const key =
    keys.find((name) => entries.has(name)) ??
    [...entries.keys()].find((name) => hostOf(name, byHost) === host);
  return key === undefined ? undefined : entries.get(key);
}

/** The host of a key: a key with a scheme, or any where they are `byHost`, loses its path. Docker Hub has one name. */
function hostOf(key: string, byHost = false): string {
  const bare = key.replace(/^https?:\/\/([^/]*).*$/, '$1');
  const host = byHost ? bare.replace(/\/.*$/, '') : bare;
  return HUB_HOSTS.includes(host) ? HUB : host;
}

function decodeEntry(entry: z.output<typeof ENTRY> | undefined, authFile: string): Found {
  if (entry?.identitytoken) {
    return succeed({ kind: 'identity-token', identityToken: entry.identitytoken, authFile });
  }
  if (!entry?.auth) return succeed(undefined);
  const text = BASE64.test(entry.auth) ? Buffer.from(entry.auth, 'base64').toString('utf8') : '';
  const colon = text.indexOf(':');
  if (colon < 1) {
    return fail(
      'REGISTRY_CREDENTIALS_UNREADABLE',
      `${authFile} has an entry that is not user:password in base64.`,
    );
  }
  // Old versions of docker padded the password with NUL characters.
  const password = text.slice(colon + 1).replace(/\0+$/, '');
  return succeed({ kind: 'password', username: text.slice(0, colon), password, authFile });
}
