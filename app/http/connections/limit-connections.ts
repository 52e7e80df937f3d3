import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { matchAddresses } from '../../../shared/config/address-ranges.ts';
import type { Settings } from '../../../shared/config/settings.ts';
import { capConnections } from '../../domain/connection-limits.ts';
import { type ConnectionGuard, guardConnections } from './guard-connections.ts';
import { readOpenFileLimit } from './open-files.ts';

/** For a moment there may be so many times as many as for longer. */
const BURST = 2;

/** Keeps the connections of a server within what is configured, and within what the process may have open. */
export function limitConnections(
  server: Server,
  settings: Pick<
    Settings,
    | 'maxConnections'
    | 'maxConnectionsPerAddress'
    | 'headTimeoutMs'
    | 'requestTimeoutMs'
    | 'minBodyRate'
    | 'trustedProxies'
  >,
  log: Pick<Logger, 'warn'>,
): ConnectionGuard {
  const { maxConnections, maxConnectionsPerAddress, ...times } = settings;
  const { headTimeoutMs, requestTimeoutMs, minBodyRate, trustedProxies } = times;
  const burst = capConnections(BURST * maxConnections, readOpenFileLimit());
  const limits = {
    ...{ total: Math.min(maxConnections, Math.ceil(burst / BURST)), burst },
    perAddress: maxConnectionsPerAddress,
    ...{ headTimeoutMs, requestTimeoutMs, minBodyRate },
  };
  return guardConnections(server, limits, {
    isTrusted: matchAddresses(trustedProxies),
    onCut: (reason, address) => {
      log.warn({ reason, address }, 'connections are ended before their time');
    },
  });
}
