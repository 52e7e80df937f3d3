import { randomUUID } from 'node:crypto';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import { openStore, type Store } from '../db/store.ts';
import { openHost } from '../host/open-host.ts';
import { listQuarantine } from '../tasks/quarantine.ts';
import { releaseQuarantined } from '../tasks/timer-guards.ts';
import { printFaults } from './print-faults.ts';

type Options = { readonly json?: boolean };

/** `quarantine list`: the images that failed for a unit and are not deployed to it again. */
export function showQuarantine(
  { json }: Options,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withStore(environment, (store) => {
    const images = listQuarantine(store, Date.now());
    if (json) {
      process.stdout.write(`${JSON.stringify({ images })}\n`);
      return EXIT.ok;
    }
    if (images.length === 0) process.stdout.write('No image is in quarantine.\n');
    for (const { unit, digest, image, count, last_at, expires_at, timer_guard, error } of images) {
      const often = count === 1 ? 'once' : `${count} times`;
      const until = expires_at === null ? 'until it is released' : `until ${expires_at}`;
      process.stdout.write(
        `${unit} ${digest}\n  ${image}, failed ${often}, last ${last_at}, left alone ${until}\n  ${error.code}: ${error.sentence} ${error.detail}\n`,
      );
      if (timer_guard !== null) {
        process.stdout.write(`  the timer of podman is kept off it by ${timer_guard}\n`);
      }
    }
    return EXIT.ok;
  });
}

/** `quarantine release UNIT [DIGEST]`: lets it be deployed again; without a digest all images of the unit. */
export function releaseQuarantine(
  unit: string,
  digest: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withStore(environment, async (store, settings) => {
    const host = openHost(settings, environment);
    if (!host.ok) {
      process.stderr.write(`${formatFailure(host.failure)}\n`);
      return EXIT.failure;
    }
    const { run, close } = host.value;
    const { released, guards } = await releaseQuarantined(store, run, unit, digest);
    await close();
    if (!guards.ok) process.stderr.write(`${formatFailure(guards.failure)}\n`);
    recordRelease(store, unit, digest, released);
    const what = digest === undefined ? 'no image of it is' : 'that image of it is not';
    if (released === 0) {
      process.stderr.write(`${unit}: ${what} in quarantine.\n`);
      return EXIT.failure;
    }
    process.stdout.write(`${unit}: ${released} released; push again or redeliver the webhook.\n`);
    return EXIT.ok;
  });
}

/** Who let a bad image in again must be found later on. */
function recordRelease(
  store: Store,
  unit: string,
  digest: string | undefined,
  released: number,
): void {
  store.events.insertAll([
    {
      request_id: `cli_${randomUUID()}`,
      ts: Date.now(),
      method: 'CLI',
      path: 'quarantine release',
      status: released === 0 ? 404 : 200,
      action: 'quarantine-release',
      code: null,
      actor: `uid ${process.getuid?.() ?? 0}`,
      remote_address: null,
      duration_us: 0,
      meta: JSON.stringify({ unit, digest: digest ?? null, released }),
    },
  ]);
}

async function withStore(
  environment: NodeJS.ProcessEnv,
  act: (store: Store, settings: Settings) => ExitCode | Promise<ExitCode>,
): Promise<ExitCode> {
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return EXIT.configInvalid;
  }
  const { settings, paths } = result.loaded;
  const { database } = paths;
  const opened = openStore(database, { version: PROGRAM.version, nowMs: Date.now() });
  if (!opened.ok) {
    process.stderr.write(`${formatFailure(opened.failure)}\n`);
    return EXIT.failure;
  }
  try {
    return await act(opened.value, settings);
  } finally {
    opened.value.close();
  }
}
