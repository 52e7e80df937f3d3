import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The unit that the deliveries are for, and what it runs. */
export const UNIT = 'bench.service';
export const IMAGE = 'ghcr.io/octo-org/bench:latest';
export const SECRET = 'secret-of-the-bench-alone';

/** A signed body in a file, as wrk sends it. */
export type Delivery = {
  readonly title: string;
  readonly file: string;
  readonly bytes: number;
  readonly signature: string;
};

const FIXTURE = join(import.meta.dirname, '../fixtures/github/registry-package-published.json');

/** Writes the body that GitHub really sends and the least one that means the same to us. */
export function writeDeliveries(folder: string): readonly [Delivery, Delivery] {
  const full = JSON.parse(readFileSync(FIXTURE, 'utf8'));
  full.registry_package.package_version.package_url = IMAGE;
  const { package_type, package_version } = full.registry_package;
  const small = {
    action: 'published',
    registry_package: {
      package_type,
      package_version: {
        package_url: IMAGE,
        container_metadata: { tag: package_version.container_metadata.tag },
      },
    },
  };
  return [write(folder, 'GitHub', full), write(folder, 'small', small)];
}

function write(folder: string, title: string, body: object): Delivery {
  const bytes = Buffer.from(JSON.stringify(body));
  const file = join(folder, `${title}.json`);
  writeFileSync(file, bytes);
  const signature = `sha256=${createHmac('sha256', SECRET).update(bytes).digest('hex')}`;
  return { title, file, bytes: bytes.length, signature };
}
