import type { Logger } from 'pino';
import { isOpenMode } from '../shared/config/access-settings.ts';
import { matchAddresses } from '../shared/config/address-ranges.ts';
import type { Settings } from '../shared/config/settings.ts';
import { ADMIN_ACCESS, DEPLOY_ACCESS, MONITOR_ACCESS } from './domain/access.ts';
import { type AdminGate, createAdminGate, type FixedToken } from './http/admin-gate.ts';
import type { FailedCredentials } from './http/credentials/failed-credentials.ts';
import { createForwardAuth, type ForwardAuth } from './http/forward-auth.ts';
import { isAskedHere } from './http/open-mode.ts';
import { guardOf } from './join-limits.ts';

/** Joins what tells who calls to the settings. */
export function joinAccess(
  settings: Settings,
  log: Pick<Logger, 'warn'>,
  failed: FailedCredentials,
): AdminGate {
  const isOpen = isOpenMode(settings);
  if (isOpen) log.warn('open mode: everybody on this host may do everything without a credential');
  const forwardAuth = joinForwardAuth(settings);
  return createAdminGate({
    tokens: listTokens(settings),
    guard: guardOf(failed, 'admin'),
    ...(forwardAuth && { forwardAuth }),
    ...(isOpen && { isOpenTo: ({ raw }) => isAskedHere(raw) }),
  });
}

function listTokens({ adminToken, manualToken, metricsToken }: Settings): FixedToken[] {
  const tokens = [
    { name: 'PODUP_TOKEN', secret: adminToken, access: ADMIN_ACCESS },
    { name: 'PODUP_MANUAL_TOKEN', secret: manualToken, access: DEPLOY_ACCESS },
    { name: 'PODUP_METRICS_TOKEN', secret: metricsToken, access: MONITOR_ACCESS },
  ];
  return tokens.flatMap(({ secret, ...rest }) =>
    secret === undefined ? [] : [{ ...rest, secret }],
  );
}

function joinForwardAuth(settings: Settings): ForwardAuth | undefined {
  const { forwardAuthHeader: header, forwardAuthAdminValue: adminValue, trustedProxies } = settings;
  if (header === undefined || adminValue === undefined) return undefined;
  if (trustedProxies.length === 0) return undefined;
  const nicknameHeader = settings.forwardAuthNicknameHeader;
  return createForwardAuth({
    header,
    adminValue,
    nicknameHeader,
    isTrusted: matchAddresses(trustedProxies),
  });
}
