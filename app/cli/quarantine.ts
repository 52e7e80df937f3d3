import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import { openHost } from '../host/open-host.ts';
import { listQuarantine } from '../tasks/quarantine.ts';
import { releaseQuarantined } from '../tasks/timer-guards.ts';
import type { CallNote } from './call-note.ts';
import { withStore } from './with-store.ts';

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
  note: CallNote,
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
    note.meta = { unit, digest: digest ?? null, released };
    const what = digest === undefined ? 'no image of it is' : 'that image of it is not';
    if (released === 0) {
      note.status = 404;
      note.code = 'QUARANTINE_NOT_FOUND';
      process.stderr.write(`${unit}: ${what} in quarantine.\n`);
      return EXIT.failure;
    }
    process.stdout.write(`${unit}: ${released} released; push again or redeliver the webhook.\n`);
    return EXIT.ok;
  });
}
