import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type StagingParts, stageRelease } from '../../../../app/updates/release/stage-release.ts';
import type { ReleaseIdentity } from '../../../../shared/contract/release.ts';
import type { StagerOrder } from '../../../../shared/contract/stager-messages.ts';
import { publish, type Release } from '../../../helpers/release.ts';
import { githubSettings, RUNS, serveReleases, USER_AGENT } from './release-fixture.ts';

/** The newest migration of what runs. */
export const SCHEMA = 3;

/** What a program of a few lines is. */
export type ShellOptions = {
  readonly version: string;
  readonly schema?: number;
  readonly check?: string;
};

/** A program of a few shell lines that passes its self-check, or does what `check` says. */
export function shellRelease(
  folder: string,
  { version, schema = SCHEMA, check = '' }: ShellOptions,
): Release {
  const said = {
    version,
    commit: 'c0ffee',
    schema,
    record: 1,
    platform: 'x86_64-unknown-linux-gnu',
  };
  const content = `#!/bin/sh
${check}
digest=$(sha256sum "$0" | cut -c 1-64)
echo '${JSON.stringify(said).slice(0, -1)},"digest":"'$digest'"}'
# ${'x'.repeat(300_000)}
`;
  const file = join(folder, 'built', version);
  mkdirSync(join(folder, 'built'), { recursive: true });
  writeFileSync(file, content);
  const digest = createHash('sha256').update(content).digest('hex');
  const [generation, bytes] = [Number(version.split('.')[1]), Buffer.byteLength(content)];
  return { file, version, tag: `v${version}`, commit: 'c0ffee', generation, digest, bytes, schema };
}

/** A host where a program is installed, and a server with releases for it. */
export async function makeHost(t: TestContext) {
  const server = await serveReleases(t);
  const bin = join(server.folder, 'bin');
  const target = join(bin, 'program');
  mkdirSync(bin);
  writeFileSync(target, 'what runs');
  const steps: string[] = [];
  const skipped: string[] = [];
  const release = (options: ShellOptions, how: Parameters<typeof publish>[2] = {}) => {
    const built = shellRelease(server.folder, options);
    publish(server.folder, built, how);
    return built;
  };
  const stage = (order: Partial<StagerOrder> = {}, parts: Partial<StagingParts> = {}) => {
    const signal = parts.signal ?? new AbortController().signal;
    return stageRelease(
      {
        target,
        current: { version: '1.0.0', digest: RUNS, generation: 0, tag: 'v1.0.0', commit: 'old' },
        tag: null,
        dryRun: false,
        force: false,
        quarantine: [],
        generationFloor: null,
        retained: null,
        ...order,
      },
      {
        settings: githubSettings(server),
        source: { userAgent: USER_AGENT, signal },
        selfCheck: { environment: { PATH: process.env['PATH'] } },
        platform: 'x86_64-unknown-linux-gnu',
        schema: SCHEMA,
        onProgress: (step) => {
          if (steps.at(-1) !== step) steps.push(step);
        },
        onSkipped: (tags) => void skipped.push(...tags),
        retries: { tries: 2, waitMs: 1 },
        ...parts,
        signal,
      },
    );
  };
  return { server, target, stage, steps, skipped, release, names: () => readdirSync(bin).sort() };
}

/** What is recorded of a release. */
export function identityOf({ version, digest, tag, commit, generation }: Release): ReleaseIdentity {
  return { version, digest, tag, commit, generation };
}
