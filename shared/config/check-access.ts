import { formatHttpAddress, isLoopback } from '../contract/http-address.ts';
import { isOpenMode } from './access-settings.ts';
import type { Settings } from './settings.ts';

/** What of the settings of access does not go together: faults, with which nothing starts, and what is odd. */
export function checkAccess(settings: Settings): {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
} {
  return { faults: checkOpenMode(settings), warnings: checkForwardAuth(settings) };
}

/** Whoever reaches the address would be an admin: through a proxy that is everybody, too. */
function checkOpenMode(settings: Settings): string[] {
  if (!isOpenMode(settings)) return [];
  const { httpAddr, trustedProxies, openAdmin, profile } = settings;
  const because = openAdmin ? 'PODUP_DEV_OPEN_ADMIN' : `PODUP_ENV=${profile.slice(0, 50)}`;
  const what = `${because}: it lets everybody do everything without a credential`;
  const faults: string[] = [];
  if (!isLoopback(httpAddr)) {
    const given = formatHttpAddress(httpAddr);
    faults.push(
      `${what}, so PODUP_HTTP_ADDR has to be a loopback address such as 127.0.0.1:25111; it is ${given}.`,
    );
  }
  if (trustedProxies.length > 0) {
    faults.push(`${what}, so there may be no proxy in front; PODUP_TRUSTED_PROXIES names one.`);
  }
  return faults;
}

/** What is missing keeps people out, but no webhook. */
function checkForwardAuth(settings: Settings): string[] {
  const { forwardAuthHeader, forwardAuthAdminValue, trustedProxies } = settings;
  if (forwardAuthHeader === undefined && forwardAuthAdminValue === undefined) return [];
  const missing = [
    ...(forwardAuthHeader === undefined ? ['PODUP_FWD_AUTH_HEADER'] : []),
    ...(forwardAuthAdminValue === undefined ? ['PODUP_FWD_AUTH_ADMIN_VALUE'] : []),
    ...(trustedProxies.length === 0 ? ['PODUP_TRUSTED_PROXIES'] : []),
  ];
  if (missing.length === 0) return [];
  return [`ForwardAuth is off: it also needs ${missing.join(' and ')}; see docs/access.md.`];
}
