import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isSuccess, runCommand } from '../../shared/process/run-command.ts';
import type { RegistriesData, RegistriesMessage } from './check-registries.ts';

const REGISTRIES = 20;
const LATENCY_MS = 100;
/** Every so many units have a version as their tag. */
const VERSIONED = 5;
const LANES = 3;
const TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

/** A unit of the bench. */
export type FleetUnit = { readonly unit: string; readonly image: string };

/** Units with an image each, which run, and registries that hold what they run. */
export class CheckFleet {
  readonly units: readonly FleetUnit[];
  readonly latencyMs = LATENCY_MS;
  readonly registries = REGISTRIES;
  readonly #worker: Worker;

  private constructor(units: readonly FleetUnit[], worker: Worker) {
    this.units = units;
    this.#worker = worker;
  }

  /** Makes all of it; takes a while. */
  static async start(count: number): Promise<CheckFleet> {
    const data: RegistriesData = { count: REGISTRIES, latencyMs: LATENCY_MS };
    const worker = new Worker(new URL('./check-registries.ts', import.meta.url), {
      workerData: data,
    });
    const [hosts] = (await once(worker, 'message')) as [readonly string[]];
    const units = Array.from({ length: count }, (_, at) => {
      const tag = at % VERSIONED === 0 ? '1.2' : 'stable';
      return { unit: `u${at}.service`, image: `${hosts[at % REGISTRIES]}/app${at}:${tag}` };
    });
    const config = join(process.env['HOME'] ?? '', '.config/containers');
    mkdirSync(config, { recursive: true });
    const file = join(config, 'registries.conf');
    const rules = hosts.map((host) => `[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
    writeFileSync(file, rules.join(''));
    process.env['CONTAINERS_REGISTRIES_CONF'] = file;
    // The kernel lets a user have two hundred keyrings.
    const settings = readFileSync(process.env['CONTAINERS_CONF'] ?? '', 'utf8');
    const withoutKeys = settings.replace('[containers]', '[containers]\nkeyring = false');
    process.env['CONTAINERS_CONF'] = join(config, 'containers.conf');
    writeFileSync(process.env['CONTAINERS_CONF'], withoutKeys);
    const configs = loadImages(units.map(({ image }) => image));
    await runAll(units);
    publish(worker, units, configs);
    return new CheckFleet(units, worker);
  }

  /** What the registries were asked since this was last called, each as `HOST METHOD PATH`. */
  async asked(): Promise<readonly string[]> {
    const message: RegistriesMessage = { kind: 'tell' };
    this.#worker.postMessage(message);
    const [all] = (await once(this.#worker, 'message')) as [readonly (readonly string[])[]];
    return all.flatMap((asked, at) => asked.map((one) => `${at} ${one}`));
  }
}

/** One archive with an image for each name, all of one layer; their configurations. */
function loadImages(names: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'podup-fleet-'));
  const run = (file: string, ...args: string[]) => execFileSync(file, args, { cwd: folder });
  mkdirSync(join(folder, 'layer/bin'), { recursive: true });
  copyFileSync('/bin/busybox', join(folder, 'layer/bin/busybox'));
  symlinkSync('busybox', join(folder, 'layer/bin/sleep'));
  run('tar', '-C', 'layer', '-cf', 'layer.tar', '.');
  const layer = createHash('sha256')
    .update(readFileSync(join(folder, 'layer.tar')))
    .digest('hex');
  const configs = names.map((name) =>
    JSON.stringify({
      ...{ architecture: 'amd64', os: 'linux' },
      config: { Entrypoint: ['/bin/sleep', '100000'], Labels: { name } },
      rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
      history: [{ created_by: 'bench' }],
    }),
  );
  for (const [at, text] of configs.entries()) writeFileSync(join(folder, `${at}.json`), text);
  const index = names.map((name, at) => ({
    ...{ Config: `${at}.json`, RepoTags: [name], Layers: ['layer.tar'] },
  }));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(index));
  run('sh', '-c', 'tar -cf all.tar manifest.json layer.tar [0-9]*.json');
  run('podman', 'load', '--quiet', '--input', 'all.tar');
  return configs;
}

async function runAll(units: readonly FleetUnit[]): Promise<void> {
  const rest = units.values();
  const lane = async () => {
    for (const { unit, image } of rest) {
      const labels = [`PODMAN_SYSTEMD_UNIT=${unit}`, 'io.containers.autoupdate=registry'];
      const started = await runCommand({
        argv: [
          ...(['podman', 'run', '--detach', '--network=host', '--cgroups=disabled'] as const),
          ...['--log-driver=none', ...labels.map((label) => `--label=${label}`), image],
        ],
        timeoutMs: 60_000,
      });
      if (!isSuccess(started)) throw new Error(started.stderr);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Has the registries hold the very manifests that podman has made. */
function publish(worker: Worker, units: readonly FleetUnit[], configs: readonly string[]): void {
  const store = join(process.env['HOME'] ?? '', '.local/share/containers/storage/overlay-images');
  const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');
  for (const [at, { image }] of units.entries()) {
    const config = configs[at] ?? '';
    const id = digestOf(config);
    const body = readFileSync(join(store, id, 'manifest'), 'utf8');
    const message: RegistriesMessage = {
      kind: 'hold',
      registry: at % REGISTRIES,
      name: image.slice(image.indexOf('/') + 1),
      manifest: { type: TYPE, body, digest: `sha256:${digestOf(body)}` },
      config: { digest: `sha256:${id}`, body: config },
    };
    worker.postMessage(message);
  }
}
