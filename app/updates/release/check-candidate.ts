import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  parseSelfCheckAnswer,
  type SelfCheckAnswer,
} from '../../../shared/contract/helper-answers.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { parseJson } from '../../../shared/contract/read-shape.ts';
import {
  type CommandResult,
  formatEnd,
  isSuccess,
  runCommand,
} from '../../../shared/process/run-command.ts';

/** What a candidate has to say of itself. */
export type Expected = {
  readonly version: string;
  readonly digest: string;
  readonly platform: string;
  /** The oldest schema that it may bring; null where older ones are allowed. */
  readonly schema: number | null;
};

/** How it is run. */
export type CheckOptions = {
  /** All that it gets of the environment of this process: where programs are found. */
  readonly environment: { readonly PATH: string | undefined };
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
};

/** Loading everything takes a second or two on a small host. */
const SELF_CHECK_TIMEOUT_MS = 15_000;

/** The supervisor, where it stops us, waits longer than this. */
const KILL_GRACE_MS = 500;
const MAX_OUTPUT_BYTES = 16_384;

/**
 * Runs a program file with `--self-check`, in a group of its own, with no settings and no state of this host, and
 * compares what it says with what was expected.
 */
export async function checkCandidate(
  file: string,
  expected: Expected,
  options: CheckOptions,
): Promise<Outcome<SelfCheckAnswer>> {
  const folder = await mkdtemp(join(tmpdir(), 'podup-self-check-'));
  try {
    const result = await runCommand({
      argv: [file, '--self-check'],
      timeoutMs: options.timeoutMs ?? SELF_CHECK_TIMEOUT_MS,
      killGraceMs: KILL_GRACE_MS,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      environment: {
        ...options.environment,
        TMPDIR: folder,
        HOME: folder,
        PODUP_STATE_DIR: folder,
      },
      signal: options.signal,
    });
    if (options.signal.aborted) return fail('UPDATE_CANCELLED', 'The self-check was stopped.');
    if (!isSuccess(result)) return explainEnd(result);
    const answer = parseSelfCheckAnswer(parseJson(result.stdout));
    if (!answer) return fail('RELEASE_SELF_CHECK_FAILED', `${file} --self-check gave no answer.`);
    return compare(answer, expected);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The last line that says something: under an uncaught error Node prints a trace and its own version. */
function explainEnd(result: CommandResult): Outcome<never> {
  const lines = result.stderr.split('\n');
  const stderr = lines.findLast((line) => /^[^\s}]/.test(line) && !/^Node\.js v/.test(line)) ?? '';
  return fail('RELEASE_SELF_CHECK_FAILED', formatEnd({ ...result, stderr }));
}

function compare(answer: SelfCheckAnswer, expected: Expected): Outcome<SelfCheckAnswer> {
  for (const name of ['version', 'digest', 'platform'] as const) {
    if (answer[name] === expected[name]) continue;
    const detail = `It says that its ${name} is ${answer[name]}; ${expected[name]} was expected.`;
    return fail('RELEASE_SELF_CHECK_FAILED', detail);
  }
  if (expected.schema !== null && answer.schema < expected.schema) {
    const detail = `It knows migrations up to ${answer.schema}; ${expected.schema} is in use here.`;
    return fail('RELEASE_SELF_CHECK_FAILED', detail);
  }
  return succeed(answer);
}
