import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SECRET } from './product.ts';

/** What a push says of itself; `tag` may be empty, as for the parts of a multi-arch image. */
export type Push = { readonly repository: string; readonly tag: string; readonly digest: string };

/** The two shapes in which GitHub reports a pushed image. */
export type Schema = 'package' | 'registry_package';

const SAMPLES: Readonly<Record<Schema, string>> = {
  package: 'package-published.json',
  registry_package: 'registry-package-published.json',
};

/** A full-size body of GitHub in which only name, tag and digest of the image are ours. */
export function makeBody(schema: Schema, push: Push): string {
  const file = join(import.meta.dirname, '../fixtures/github', SAMPLES[schema]);
  const body = JSON.parse(readFileSync(file, 'utf8'));
  const version = body[schema].package_version;
  body[schema].name = push.repository.split('/').at(-1);
  version.package_url = `${push.repository}:${push.tag}`;
  version.version = push.digest;
  version.name = push.digest;
  version.container_metadata.tag = { name: push.tag, digest: push.digest };
  version.container_metadata.manifest.digest = push.digest;
  return JSON.stringify(body);
}

/** The signature that GitHub would send. */
function sign(body: string | Buffer, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** The headers of a delivery; each has an id of its own unless one is given. */
export function makeHeaders(event: string, body: string | Buffer, delivery: string = randomUUID()) {
  return {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/1234567',
    'x-github-event': event,
    'x-github-delivery': delivery,
    'x-hub-signature-256': sign(body),
  };
}

/** Posts a delivery as GitHub does; status and parsed answer. */
export async function post(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; answer: Record<string, string> }> {
  const response = await fetch(url, { method: 'POST', body, headers });
  return { status: response.status, answer: (await response.json()) as Record<string, string> };
}
