import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { command, HAS_QUADLET, served } from './lab.ts';
import { until } from './until.ts';

/** Where the images of the lab lie. */
const REGISTRY = process.env['LAB_REGISTRY'] ?? '';

/** Tests start units more often than systemd's limit allows. */
const NO_LIMIT = '[Unit]\nStartLimitIntervalSec=0\n';

/** Unit files by their name, `NAME.d/DROP-IN` included. */
export type UnitFiles = Readonly<Record<string, string>>;

/** How a container is run, in whichever way the host has. */
export type ContainerUnit = {
  /** In full, or below the registry of the lab. */
  readonly image: string;
  /** The port at which it serves on this host; inside it is 8080. */
  readonly port?: number | string;
  readonly env?: Readonly<Record<string, string>>;
  /** The name of the container of a hand-written unit; without it podman makes one. */
  readonly name?: string;
  /** More lines for `[Unit]`. */
  readonly unit?: string;
  /** More lines for `[Container]` of Quadlet. */
  readonly quadlet?: string;
  /** More options of `podman run` in a hand-written unit. */
  readonly options?: string;
};

/** `image` with its registry. */
export function inFull(image: string): string {
  return /^(?:localhost|127\.0\.0\.1:\d+)\//.test(image) ? image : `${REGISTRY}/${image}`;
}

/** Writes unit files, Quadlet's where Quadlet looks for them; systemd is not told. */
export function writeUnits(files: UnitFiles): void {
  for (const [name, text] of Object.entries(files)) {
    const isQuadlet = /\.(?:container|pod|kube|image|build)(?:\.d\/|$)/.test(name);
    const folder = isQuadlet ? '.config/containers/systemd' : '.config/systemd/user';
    const path = join(homedir(), folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** `systemctl --user`, to its end; what it printed. */
export function systemctl(...args: readonly string[]): string {
  return command('systemctl', '--user', ...args).trim();
}

/** Writes unit files, has systemd read them, and starts units. */
export function startUnits(files: UnitFiles, ...units: readonly string[]): void {
  writeUnits(files);
  // The first call of podman must not be one in a unit; see lab/unit.
  command('podman', 'ps', '--quiet');
  systemctl('daemon-reload');
  if (units.length > 0) systemctl('start', '--', ...units);
}

/** The file of `NAME.service`: `NAME.container` where Quadlet makes it. */
export function containerUnit(name: string, unit: ContainerUnit): UnitFiles {
  return HAS_QUADLET
    ? { [`${name}.container`]: quadletContainer(unit) }
    : { [`${name}.service`]: handWritten(unit) };
}

/** A `.container` file. */
export function quadletContainer({ image, port, env = {}, ...more }: ContainerUnit): string {
  const lines = Object.entries(env).map(([name, value]) => `Environment=${name}=${value}\n`);
  const publish = port === undefined ? '' : `PublishPort=127.0.0.1:${port}:8080\n`;
  const container = `[Container]\nImage=${/\.(?:image|build)$/.test(image) ? image : inFull(image)}\n`;
  return `${NO_LIMIT}${more.unit ?? ''}\n${container}${publish}${lines.join('')}${more.quadlet ?? ''}\n[Service]\nRestart=on-failure\n`;
}

/** A unit in the shape of `podman generate systemd --new`. */
export function handWritten(unit: ContainerUnit & { readonly service?: string }): string {
  const run = runLine(unit);
  return `${NO_LIMIT}${unit.unit ?? ''}
[Service]
Environment=PODMAN_SYSTEMD_UNIT=%n
Restart=on-failure
TimeoutStopSec=70
ExecStartPre=/bin/rm -f %t/%n.ctr-id
${unit.service ?? ''}ExecStart=${run}
ExecStop=/usr/bin/podman stop --ignore --cidfile=%t/%n.ctr-id
ExecStopPost=/usr/bin/podman rm -f --ignore --cidfile=%t/%n.ctr-id
Type=notify
NotifyAccess=all
`;
}

/** The start command of a hand-written unit. */
export function runLine({ image, port, env = {}, name, options = '' }: ContainerUnit): string {
  const words = [
    '/usr/bin/podman run --cidfile=%t/%n.ctr-id --cgroups=no-conmon --rm --sdnotify=conmon -d',
    name === undefined ? '' : `--replace --name ${name}`,
    port === undefined ? '' : `-p 127.0.0.1:${port}:8080`,
    ...Object.entries(env).map(([key, value]) => `-e ${key}=${value}`),
    options,
    inFull(image),
  ];
  return words.filter((word) => word !== '').join(' ');
}

/** Waits until a version is served on a port. */
export function untilServed(port: number, version: string): Promise<boolean> {
  return until(`${version} on ${port}`, 20_000, async () => (await served(port)) === version);
}
