import { type Loaded, loadSettings } from '../../shared/config/load-settings.ts';
import { hashFile, programFile } from '../../shared/config/program-file.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import { MIGRATIONS } from '../db/generated-migrations.ts';
import { inspectDatabase } from '../db/inspect-database.ts';
import type { ImageReference } from '../domain/image-reference.ts';
import type { Host } from '../host/host.ts';
import { openHost } from '../host/open-host.ts';
import { readPodmanInfo } from '../host/podman-info.ts';
import { readUnit } from '../host/read-unit.ts';
import { createLookUp } from '../tasks/create-look-up.ts';
import { checkAfterUpdate } from '../updates/post-update-check.ts';
import { findRelease } from '../updates/release/find-release.ts';
import { printFaults } from './print-faults.ts';

/** One of each registry is enough; a host that pulls from more has the first ones asked. */
const MAX_REGISTRIES = 10;
const REGISTRY_TIMEOUT_MS = 5_000;
const SOURCE_TIMEOUT_MS = 15_000;

/** `post-update-check [--expect DIGEST]`: what this program finds, part by part. One JSON object on stdout. */
export async function postUpdateCheck(
  expected: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return EXIT.configInvalid;
  }
  const { loaded } = result;
  const digest = await hashFile(programFile());
  const host = openHost(loaded.settings, environment);
  if (!host.ok) {
    process.stderr.write(`${formatFailure(host.failure)}\n`);
    return EXIT.failure;
  }
  const answer = await checkAfterUpdate({
    version: PROGRAM.version,
    digest,
    expected,
    inspect: () => inspectDatabase(loaded.paths.database, MIGRATIONS),
    lookForRelease: releaseLookUp(loaded, digest),
    registries: await registryLookUps(loaded, host.value),
  });
  await host.value.close();
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  return EXIT.ok;
}

function releaseLookUp({ settings }: Loaded, digest: string) {
  const { releaseBaseUrl, releaseRepository } = settings;
  if (releaseBaseUrl === undefined && releaseRepository === undefined) return undefined;
  return () =>
    findRelease(
      settings,
      {
        current: { version: PROGRAM.version, digest, tag: null },
        tag: null,
        force: false,
        quarantine: [],
        generationFloor: null,
      },
      {
        userAgent: `pod-upgrade-trigger/${PROGRAM.version}`,
        signal: AbortSignal.timeout(SOURCE_TIMEOUT_MS),
      },
    );
}

/** The look-ups that a deployment of the configured units would make, one for each registry. */
async function registryLookUps({ settings }: Loaded, host: Host) {
  if (settings.units.length === 0) return [];
  const { run } = host;
  const readings = await Promise.all(settings.units.map((unit) => readUnit(run, unit)));
  const images = new Map<string, ImageReference>();
  for (const reading of readings) {
    const image = reading.ok ? reading.value.image : undefined;
    if (image && images.size < MAX_REGISTRIES) images.set(image.registry, image);
  }
  const info = await readPodmanInfo(run);
  if (!info.ok) return [];
  const { registries } = info.value;
  const lookUp = createLookUp(host, REGISTRY_TIMEOUT_MS, new AbortController().signal);
  return [...images.values()].map((image) => () => lookUp(image, registries));
}
