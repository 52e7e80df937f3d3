import type { Logger } from 'pino';
import { type Loaded, loadSettings } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { type Failure, fail, formatFailure, type Outcome } from '../../shared/contract/outcome.ts';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { parseStagerOrder, type StagerOrder } from '../../shared/contract/stager-messages.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { MIGRATIONS } from '../db/generated-migrations.ts';
import { hostPlatform } from '../updates/release/host-platform.ts';
import { NoticeSayer } from '../updates/release/say-notices.ts';
import { type Staged, stageRelease } from '../updates/release/stage-release.ts';

/** An order is some kilobytes long; a thousand quarantined digests are 70. */
const MAX_ORDER_BYTES = 1_048_576;
/** How often it is looked whether the supervisor still lives. */
const PARENT_CHECK_MS = 250;

/**
 * `stage-release`: carries out the order of the supervisor that comes on standard input, and says on standard output
 * how it goes and what came of it. The log goes to standard error. Ends soon on SIGTERM, or when nobody is left to
 * listen.
 */
export async function stageReleaseCommand(environment: NodeJS.ProcessEnv): Promise<ExitCode> {
  const stopping = new AbortController();
  const stopWatching = watchForStop(() => stopping.abort());
  const say = new NoticeSayer((line) => process.stdout.write(line));
  const staged = await stage(environment, say, stopping.signal);
  stopWatching();
  say.last(staged.ok ? staged.value : { kind: 'failed', failure: staged.failure });
  return EXIT.ok;
}

/** Two stagers at once would write to the same files; one that has lost its supervisor gives way. */
function watchForStop(stop: () => void): () => void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop);
  process.stdout.on('error', stop);
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) stop();
  }, PARENT_CHECK_MS);
  return () => clearInterval(timer);
}

async function stage(
  environment: NodeJS.ProcessEnv,
  say: NoticeSayer,
  signal: AbortSignal,
): Promise<Outcome<Staged>> {
  const result = loadSettings(environment);
  if (!result.ok) return fail('CONFIG_INVALID', result.faults.join(' '));
  const order = await readOrder(signal);
  if (signal.aborted) return fail('UPDATE_CANCELLED', 'Staging was stopped.');
  if (!order) return fail('UPDATE_STAGING_FAILED', 'Standard input has no order of a supervisor.');
  const log = openLog(result.loaded);
  const staged = await stageRelease(
    order,
    toParts(result.loaded, { environment, say, signal, log }),
  );
  if (!staged.ok) report(staged.failure, log);
  return staged;
}

function toParts(
  { settings }: Loaded,
  { environment, say, signal, log }: PartsBehind,
): Parameters<typeof stageRelease>[1] {
  return {
    settings,
    source: { userAgent: `pod-upgrade-trigger/${PROGRAM.version}`, signal },
    selfCheck: { environment: { PATH: environment['PATH'] } },
    platform: hostPlatform(),
    schema: MIGRATIONS.at(-1)?.version ?? 0,
    onProgress: (step, bytes, total) => say.progress({ step, bytes, total }),
    onSkipped: (tags) => {
      if (tags.length > 0) log.warn({ tags }, 'newer releases are passed over: they failed here');
    },
    signal,
  };
}

type PartsBehind = {
  readonly environment: NodeJS.ProcessEnv;
  readonly say: NoticeSayer;
  readonly signal: AbortSignal;
  readonly log: Logger;
};

async function readOrder(signal: AbortSignal): Promise<StagerOrder | undefined> {
  const { stdin } = process;
  signal.addEventListener('abort', () => stdin.destroy());
  let text = '';
  try {
    for await (const chunk of stdin.setEncoding('utf8')) {
      text += chunk;
      if (text.length > MAX_ORDER_BYTES) return undefined;
    }
  } catch {
    // It broke off, or nobody wants to know any more.
    return undefined;
  }
  return parseStagerOrder(parseJson(text));
}

/** Standard output is for notices alone. */
function openLog({ settings, secrets }: Loaded): Logger {
  const destination = { write: (line: string) => process.stderr.write(line) };
  return createLogger({ name: 'stage-release', level: settings.logLevel, secrets, destination });
}

function report(failure: Failure, log: Logger): void {
  log.warn({ code: failure.code }, formatFailure(failure));
}
