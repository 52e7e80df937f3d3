import { closeSync, fstatSync } from 'node:fs';
import { BoundSocket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { formatHttpAddress, type HttpAddress } from '../../shared/contract/http-address.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { localAddress } from './local-address.ts';

/** The socket that every worker serves on. The supervisor holds it, and never accepts on it itself. */
export type HeldSocket = {
  /** To be passed on by `spawn`; it stays the property of the holder. */
  readonly fd: number;
  /** Where clients reach it; for an inherited socket what its giver bound is not known here. */
  readonly address: string;
  close(): void;
};

/** The first descriptor that systemd passes, sd_listen_fds(3). */
const LISTEN_FDS_START = 3;

const BIND_RETRY_MS = 20;

/**
 * Takes the listening socket that systemd passed to this process (`LISTEN_FDS`, `LISTEN_PID`), or binds one at
 * `address`. Fails with SOCKET_UNAVAILABLE.
 */
export function bindSocket(
  address: HttpAddress,
  environment: NodeJS.ProcessEnv,
  ownPid: number,
): Outcome<HeldSocket> {
  if (environment['LISTEN_PID'] === String(ownPid) && environment['LISTEN_FDS'] !== undefined) {
    return takeInherited(environment['LISTEN_FDS']);
  }
  try {
    const bound = new BoundSocket(address);
    const { address: host, port } = bound.address();
    // `bound` stays referenced by close(): were it collected, the socket would be closed under the worker.
    return succeed({
      fd: bound.fd(),
      address: formatHttpAddress({ host, port }),
      close: () => bound.close(),
    });
  } catch (error) {
    return fail('SOCKET_UNAVAILABLE', `${formatHttpAddress(address)} (${codeOf(error)}).`);
  }
}

/**
 * As `bindSocket`, but waits for an address that is in use: the worker of a supervisor that was killed holds it for a
 * moment longer.
 */
export async function bindSocketWithin(
  address: HttpAddress,
  environment: NodeJS.ProcessEnv,
  ownPid: number,
  withinMs: number,
): Promise<Outcome<HeldSocket>> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const bound = bindSocket(address, environment, ownPid);
    const isInUse = !bound.ok && bound.failure.detail.includes('EADDRINUSE');
    if (!isInUse || performance.now() > deadlineMs) return bound;
    // No event tells when an address becomes free.
    await wait(BIND_RETRY_MS);
  }
}

/** Takes the socket that the program before this one, in the same process, has handed over. */
export function adoptSocket(fd: number): Outcome<HeldSocket> {
  if (!isSocket(fd)) {
    return fail('SOCKET_UNAVAILABLE', `Descriptor ${fd}, which was handed over, is no socket.`);
  }
  const address = localAddress(fd);
  return succeed({
    fd,
    address: address ? formatHttpAddress(address) : 'socket that was handed over',
    close: () => closeSync(fd),
  });
}

function takeInherited(count: string): Outcome<HeldSocket> {
  if (count !== '1') {
    return fail('SOCKET_UNAVAILABLE', `systemd passed ${count} sockets where one is expected.`);
  }
  if (!isSocket(LISTEN_FDS_START)) {
    return fail('SOCKET_UNAVAILABLE', `Descriptor ${LISTEN_FDS_START} of systemd is no socket.`);
  }
  // Not closed by us: it was open before this program, and systemd keeps it open after it.
  return succeed({ fd: LISTEN_FDS_START, address: 'socket of systemd', close: () => {} });
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
