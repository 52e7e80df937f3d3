import * as z from 'zod';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { CommandEnd, RunCommand } from '../../shared/process/run-command.ts';
import { explainAbort } from './explain-failure.ts';
import type { Credentials } from './read-credentials.ts';

const NAME = /^[A-Za-z0-9._-]+$/;
const TIMEOUT_MS = 10_000;
const KILL_GRACE_MS = 1_000;
const MAX_OUTPUT_BYTES = 65_536;
/** What helpers print, and exit with 1, when they have nothing for the server. */
const NOTHING_STORED = 'credentials not found in native keychain';
/** The user name that says that the secret is an identity token. */
const TOKEN_USER = '<token>';

const ANSWER = z.object({ Username: z.string(), Secret: z.string() });

/**
 * Runs `docker-credential-HELPER get` (docker/docker-credential-helpers) with the server on its standard input. At most
 * 10 seconds and 64 KiB. Undefined where the helper has nothing. Neither what it prints nor the server's secret ever
 * stands in a failure, which is REGISTRY_CREDENTIALS_UNREADABLE, or REGISTRY_TIMEOUT where `signal` is a deadline.
 */
export async function askCredentialHelper(
  helper: string,
  server: string,
  authFile: string,
  run: RunCommand,
  signal?: AbortSignal,
): Promise<Outcome<Credentials | 'not-installed' | undefined>> {
  if (!NAME.test(helper)) return unreadable(`${authFile} names a helper with an invalid name.`);
  const program = `docker-credential-${helper}`;
  const { end, stdout, stdoutDropped } = await run({
    argv: [program, 'get'],
    input: server,
    timeoutMs: TIMEOUT_MS,
    killGraceMs: KILL_GRACE_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    isPrivate: true,
    ...(signal && { signal }),
  });
  const named = `${program}, which ${authFile} names,`;
  if (signal?.aborted) return explainAbort(signal, program);
  if (end.kind === 'not-started' && end.reason === 'ENOENT') return succeed('not-installed');
  if (end.kind === 'timed-out') return unreadable(`${named} did not end within ${TIMEOUT_MS} ms.`);
  if (end.kind !== 'exited' || end.code !== 0 || stdoutDropped > 0) {
    const isNothing = end.kind === 'exited' && end.code === 1 && stdout.trim() === NOTHING_STORED;
    if (isNothing) return succeed(undefined);
    return unreadable(`${named} failed (${describeEnd(end)}).`);
  }
  const answer = parseAnswer(stdout);
  if (!answer) return unreadable(`${named} printed no credentials.`);
  const { Username: username, Secret: secret } = answer;
  if (username === '' || secret === '') return succeed(undefined);
  if (username === TOKEN_USER) {
    return succeed({ kind: 'identity-token', identityToken: secret, authFile });
  }
  return succeed({ kind: 'password', username, password: secret, authFile });
}

function describeEnd(end: CommandEnd): string {
  if (end.kind === 'exited') return end.code === 0 ? 'it printed too much' : String(end.code);
  if (end.kind === 'signalled') return end.signal;
  return 'reason' in end ? end.reason : end.kind;
}

function parseAnswer(text: string): z.output<typeof ANSWER> | undefined {
  try {
    return ANSWER.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function unreadable(detail: string): ReturnType<typeof fail> {
  return fail('REGISTRY_CREDENTIALS_UNREADABLE', detail);
}
