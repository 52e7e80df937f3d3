import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { Push } from './webhook.ts';

const tools = process.env['LAB_DIR'] ?? '';
const registry = process.env['LAB_REGISTRY'] ?? '';

/** Debian 13 has Quadlet; there every unit of the tests is one. */
export const HAS_QUADLET = /^podman version [5-9]/.test(
  tools === '' ? '' : execFileSync('podman', ['--version'], { encoding: 'utf8' }),
);

/** Runs a command of the lab to its end. */
export function command(file: string, ...args: string[]): string {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Pushes an image that serves `version`; what a webhook would say of it. */
export function pushImage(name: string, version: string, ...options: string[]): Push {
  const [reference = '', digest = ''] = command(
    `${tools}/image`,
    name,
    '--version',
    version,
    ...options,
  )
    .trim()
    .split(' ');
  const colon = reference.lastIndexOf(':');
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1), digest };
}

/** Gives a digest of the registry one more tag, as a push of two tags does. */
export async function addTag(push: Push, tag: string): Promise<Push> {
  const path = push.repository.slice(push.repository.indexOf('/') + 1);
  const url = `http://${registry}/v2/${path}/manifests`;
  const manifest = await fetch(`${url}/${push.digest}`, {
    headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
  });
  const type = manifest.headers.get('content-type') ?? '';
  const body = await manifest.text();
  const put = await fetch(`${url}/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': type },
    body,
  });
  if (put.status !== 201) throw new Error(`tagging: ${put.status}`);
  return { ...push, tag, digest: `sha256:${createHash('sha256').update(body).digest('hex')}` };
}

/** Starts a unit that runs `image` and serves it on `port`. */
export function startUnit(name: string, image: string, port: number, ...options: string[]): void {
  const quadlet = HAS_QUADLET ? ['--quadlet'] : [];
  try {
    command(`${tools}/unit`, name, image, '--port', String(port), ...quadlet, ...options);
  } catch (error) {
    const journal = command('journalctl', '--user', '--no-pager', '--lines=50');
    throw new Error(`unit ${name} does not start:\n${journal}`, { cause: error });
  }
}

/** What the container behind a port serves; undefined while it serves nothing. */
export async function served(port: number): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) });
    return (await answer.text()).trim();
  } catch {
    return undefined;
  }
}

/** How often a version of the lab's image has begun in the journal of a unit. */
export function countStarts(unit: string, version: string): number {
  const journal = command('journalctl', '--user', `--user-unit=${unit}`, '--no-pager', '-o', 'cat');
  return journal.split('\n').filter((line) => line.includes(`version ${version}: starting`)).length;
}

/** The digests of the platform manifests in an index of the registry. */
export async function childDigests(push: Push): Promise<string[]> {
  const path = push.repository.slice(push.repository.indexOf('/') + 1);
  const answer = await fetch(`http://${registry}/v2/${path}/manifests/${push.digest}`, {
    headers: { accept: 'application/vnd.docker.distribution.manifest.list.v2+json' },
  });
  const index = (await answer.json()) as { manifests: { digest: string }[] };
  return index.manifests.map(({ digest }) => digest);
}
