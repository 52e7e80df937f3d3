import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { reachRegistries } from '../../app/checks/reach-registries.ts';
import { openLocalHost } from '../../app/host/open-host.ts';
import { readAuthFile } from '../../app/registry/read-auth-file.ts';
import { findCredentials } from '../../app/registry/read-credentials.ts';
import { runCommand } from '../../shared/process/run-command.ts';

const IMAGE = { registry: 'reg.example', repository: 'ns/app' };
const { HOME = '', XDG_RUNTIME_DIR = '' } = process.env;

const PLACES = {
  runtime: `${XDG_RUNTIME_DIR}/containers/auth.json`,
  config: `${HOME}/.config/containers/auth.json`,
  docker: `${HOME}/.docker/config.json`,
  legacy: `${HOME}/.dockercfg`,
  chosen: '/tmp/chosen.json',
  other: '/tmp/docker/config.json',
};
type Place = keyof typeof PLACES;

const entry = (user: string) => ({ auth: Buffer.from(`${user}:x`).toString('base64') });

/** Each file that is there has a login named after its place; of those below `empty` none for the registry. */
function writeFiles(there: readonly Place[], empty: readonly Place[]): void {
  for (const place of Object.keys(PLACES) as Place[]) {
    const path = PLACES[place];
    rmSync(path, { force: true });
    if (![...there, ...empty].includes(place)) continue;
    mkdirSync(dirname(path), { recursive: true });
    const auths = empty.includes(place) ? {} : { 'reg.example': entry(place) };
    writeFileSync(path, JSON.stringify(place === 'legacy' ? auths : { auths }));
  }
}

/** Who podman would log in as. */
async function askPodman(environment: NodeJS.ProcessEnv): Promise<string> {
  const argv = ['podman', 'login', '--get-login', 'reg.example'] as const;
  const { stdout } = await runCommand({ argv, timeoutMs: 30_000, environment });
  return stdout.trim() || 'nobody';
}

/** Who we would log in as. */
async function ask(environment: NodeJS.ProcessEnv): Promise<string> {
  const reach = await reachRegistries(openLocalHost('user', environment), null);
  assert.ok(reach.ok, JSON.stringify(reach));
  const readers = { readText: readAuthFile, run: runCommand };
  const found = await findCredentials(IMAGE, reach.value.authFiles, readers);
  assert.ok(found.ok, JSON.stringify(found));
  return found.value?.kind === 'password' ? found.value.username : 'nobody';
}

describe('credentials are those that podman takes', () => {
  const users: readonly Place[] = ['runtime', 'config', 'docker', 'legacy'];
  const all: readonly Place[] = [...users, 'chosen', 'other'];
  const file = { REGISTRY_AUTH_FILE: PLACES.chosen };
  const folder = { DOCKER_CONFIG: dirname(PLACES.other) };
  const rows: readonly (readonly [
    title: string,
    set: NodeJS.ProcessEnv,
    there: readonly Place[],
    empty: readonly Place[],
  ])[] = [
    ['of all files of a user', {}, users, []],
    ['without the runtime folder’s', {}, users.slice(1), ['runtime']],
    ['of docker alone', {}, users.slice(2), []],
    ['of the oldest alone', {}, ['legacy'], []],
    ['of none', {}, [], ['runtime', 'legacy']],
    ['without a runtime folder', { XDG_RUNTIME_DIR: '' }, users, []],
    ['of REGISTRY_AUTH_FILE', file, all, []],
    ['of REGISTRY_AUTH_FILE with nothing in it', file, users, ['chosen']],
    ['of REGISTRY_AUTH_FILE that is not there', file, users, []],
    ['of DOCKER_CONFIG', folder, all, []],
    ['of DOCKER_CONFIG with nothing in it', folder, users, ['other']],
    ['of both', { ...file, ...folder }, all, []],
  ];
  for (const [title, set, there, empty] of rows) {
    test(title, async () => {
      writeFiles(there, empty);
      const environment = { ...process.env, ...set };
      assert.equal(await ask(environment), await askPodman(environment));
    });
  }
});
