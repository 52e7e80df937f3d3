import { type Loaded, loadSettings } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import type { createStandby } from '../standby/create-standby.ts';
import { printFaults } from './print-faults.ts';
import { explainFailure, listen, watchStop } from './serving.ts';

/** What `intake` was called with. */
export type IntakeOptions = {
  /** The listening socket, which the supervisor hands down. */
  readonly listenFd: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly createStandby: typeof createStandby;
};

/**
 * `intake`: the standby. Accepts webhooks durably while no worker can, until SIGTERM or until its supervisor is gone.
 * Without a valid configuration it could check no signature, so it does not serve then.
 */
export async function intake({
  listenFd,
  environment,
  createStandby,
}: IntakeOptions): Promise<ExitCode> {
  const stop = watchStop();
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return EXIT.configInvalid;
  }
  const { loaded } = result;
  const log = createLogger({
    name: 'intake',
    level: loaded.settings.logLevel,
    secrets: loaded.secrets,
  });
  const prepared = prepareFolder(loaded);
  if (prepared) return explainFailure(prepared, log);
  const standby = await createStandby(loaded, log);
  const listening = await listen(standby.app.server, listenFd);
  if (!listening.ok) return explainFailure(listening.failure, log);
  log.info({ ...PROGRAM }, 'accepting webhooks in place of the worker');
  log.info({ reason: await stop.requested }, 'stopping');
  await standby.stop(stop.orphaned);
  return EXIT.ok;
}

function prepareFolder({ paths }: Loaded) {
  try {
    makeDirectoryDurably(paths.intakeDir);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { code: 'STATE_DIR_UNUSABLE' as const, detail: `${paths.intakeDir}: ${code}.` };
  }
}
