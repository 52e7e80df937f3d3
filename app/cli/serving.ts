import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatHttpAddress, type HttpAddress } from '../../shared/contract/http-address.ts';
import {
  type Failure,
  fail,
  formatFailure,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';

/** Connections that wait in the kernel while nobody accepts; the kernel caps it at net.core.somaxconn. */
const BACKLOG = 4096;

/** A process without its supervisor is gone by then: it holds the socket that the next supervisor has to bind. */
const ORPHAN_LIMIT_MS = 450;

/** What a process that serves hears of its end. */
export type Stop = {
  /** The first reason to stop. */
  readonly requested: Promise<string>;
  /** Aborted when the supervisor is gone. */
  readonly orphaned: AbortSignal;
};

/**
 * Listens for the end. To be called first: a stop during the start must not be lost. Without its supervisor the
 * process ends in any case, half a second later, in the middle of whatever it does: what was acknowledged is on disk.
 */
export function watchStop(): Stop {
  const orphaned = new AbortController();
  const requested = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => requested.resolve(signal));
  }
  process.on('disconnect', () => {
    requested.resolve('disconnect');
    orphaned.abort();
    // Not exit(3), which waits for a thread that is in the middle of a statement.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), ORPHAN_LIMIT_MS);
  });
  return { requested: requested.promise, orphaned: orphaned.signal };
}

/** Listens on a descriptor or an address; settles when the kernel hands connections over. */
export async function listen(server: Server, at: number | HttpAddress): Promise<Outcome<void>> {
  try {
    const where = typeof at === 'number' ? { fd: at } : at;
    server.listen({ ...where, backlog: BACKLOG });
    await once(server, 'listening');
    return succeed(undefined);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const where = typeof at === 'number' ? `descriptor ${at}` : formatHttpAddress(at);
    return fail('SOCKET_UNAVAILABLE', `${where}: ${code}.`);
  }
}

/** The address that is listened on, as it stands in a URL. */
export function describeAddress(server: Server): string {
  const address = server.address();
  if (typeof address !== 'object' || address === null) return String(address);
  return formatHttpAddress({ host: address.address, port: address.port });
}

/** Says why serving did not begin; the exit code tells the supervisor whether starting again can help. */
export function explainFailure(failure: Failure, log: Logger): ExitCode {
  const line = formatFailure(failure);
  log.fatal({ code: failure.code }, line);
  process.stderr.write(`${line}\n`);
  switch (failure.code) {
    // Like a wrong configuration it is not cured by starting again.
    case 'DATABASE_SCHEMA_NEWER':
      return EXIT.configInvalid;
    case 'SOCKET_UNAVAILABLE':
    case 'STATE_DIR_IN_USE':
      return EXIT.socketUnavailable;
    default:
      return EXIT.failure;
  }
}
