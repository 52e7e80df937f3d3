import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type {
  FoundRelease,
  ReleaseSettings,
  ReleaseWish,
} from '../../../../app/updates/release/find-release.ts';
import { findRelease } from '../../../../app/updates/release/find-release.ts';
import { openReleaseSource } from '../../../../app/updates/release/open-source.ts';
import { HTTP_LIMITS, type HttpLimits } from '../../../../app/updates/release/release-http.ts';
import type { ReleaseSource } from '../../../../app/updates/release/release-source.ts';
import type { Outcome } from '../../../../shared/contract/outcome.ts';
import type { Release } from '../../../helpers/release.ts';
import { NEXT_MIGRATION } from '../../../helpers/release-behaviours.ts';
import {
  type ReleaseServer,
  type ServerOptions,
  startReleaseServer,
} from '../../../helpers/release-server.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';

/** The digest of what runs here. */
export const RUNS = 'a'.repeat(64);

export const USER_AGENT = 'pod-upgrade-trigger/1.0.0';

/** Short enough for a test that waits for one of them. */
export const SHORT_LIMITS: HttpLimits = {
  connectMs: 2_000,
  headMs: 1_000,
  chunkMs: 1_000,
  pace: { bytes: 4_096, ms: 800 },
};

/** A file that is no program but can be fetched like one. */
export function fakeRelease(
  folder: string,
  options: { readonly version: string; readonly bytes?: number; readonly generation?: number },
): Release {
  const { version, bytes = 1_000, generation = 1 } = options;
  const content = randomBytes(bytes);
  const file = join(folder, 'built', version);
  mkdirSync(join(folder, 'built'), { recursive: true });
  writeFileSync(file, content);
  const digest = createHash('sha256').update(content).digest('hex');
  return {
    file,
    version,
    tag: `v${version}`,
    commit: 'c0ffee',
    generation,
    digest,
    bytes,
    schema: NEXT_MIGRATION - 1,
  };
}

/** Serves a folder of releases until the test ends; nothing may have been sent that should not be. */
export async function serveReleases(
  t: TestContext,
  options: Partial<ServerOptions> = {},
): Promise<ReleaseServer & { readonly folder: string }> {
  const folder = options.folder ?? makeTempFolder(t);
  const server = await startReleaseServer({ ...options, folder });
  t.after(async () => {
    await server[Symbol.asyncDispose]();
    assert.deepEqual(server.faults, []);
  });
  return Object.assign(server, { folder });
}

/** Answers every connection with these bytes. */
export async function answerRaw(t: TestContext, bytes: string): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => undefined).end(bytes));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The settings of a host that has set nothing but the source. */
export function settingsFor(source: Partial<ReleaseSettings>): ReleaseSettings {
  const defaults = { releaseChannel: 'stable', releasePublicKeys: [] } as const;
  return { releaseApiUrl: 'https://api.github.com', ...defaults, ...source };
}

/** The settings for GitHub as the server plays it. */
export function githubSettings(
  server: ReleaseServer,
  more: Partial<ReleaseSettings> = {},
): ReleaseSettings {
  const { apiUrl: releaseApiUrl, repository: releaseRepository } = server;
  return settingsFor({ releaseApiUrl, releaseRepository, ...more });
}

/** Opens a source until the test ends. */
export function openSource(
  t: TestContext,
  settings: ReleaseSettings,
  options: { readonly limits?: HttpLimits; readonly signal?: AbortSignal } = {},
): ReleaseSource {
  const { limits = HTTP_LIMITS, signal = new AbortController().signal } = options;
  const opened = openReleaseSource(settings, { userAgent: USER_AGENT, signal, limits });
  assert.ok(opened.ok);
  t.after(() => opened.value.close());
  return opened.value;
}

/** What somebody wants where 1.0.0 runs. */
export function wishFor(more: Partial<ReleaseWish> = {}): ReleaseWish {
  return {
    current: { version: '1.0.0', digest: RUNS, tag: 'v1.0.0' },
    tag: null,
    force: false,
    quarantine: [],
    generationFloor: null,
    ...more,
  };
}

/** Looks for a release. */
export function find(
  settings: ReleaseSettings,
  wish: Partial<ReleaseWish> = {},
): Promise<Outcome<FoundRelease>> {
  const signal = new AbortController().signal;
  return findRelease(settings, wishFor(wish), { userAgent: USER_AGENT, signal });
}

/** What was found in a word: the tag, `current`, or the code. */
export function wordFor(found: Outcome<FoundRelease>): string {
  if (!found.ok) return found.failure.code;
  return found.value.kind === 'other' ? found.value.facts.tag : found.value.kind;
}

/** The failure that it must have come to. */
export function failureOf(outcome: Outcome<unknown>): { code: string; detail: string } {
  assert.ok(!outcome.ok, 'it went well');
  return outcome.failure;
}
