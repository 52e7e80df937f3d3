import type { Logger } from 'pino';
import { isOpenMode } from '../shared/config/access-settings.ts';
import { matchAddresses } from '../shared/config/address-ranges.ts';
import type { Settings } from '../shared/config/settings.ts';
import { AccessBook, type FixedToken } from './access/access-book.ts';
import type { Store } from './db/store.ts';
import { ADMIN_ACCESS, DEPLOY_ACCESS, MONITOR_ACCESS } from './domain/access.ts';
import { type AdminGate, createAdminGate } from './http/admin-gate.ts';
import type { FailedCredentials } from './http/credentials/failed-credentials.ts';
import { createForwardAuth, type ForwardAuth } from './http/forward-auth.ts';
import { isAskedHere } from './http/open-mode.ts';
import { guardOf } from './join-limits.ts';
import type { CommitSource } from './tasks/live/commit-source.ts';
import { gather } from './tasks/live/gather.ts';

/** What tells who calls. */
export type JoinedAccess = {
  readonly gate: AdminGate;
  readonly book: AccessBook;
  readonly fixed: readonly FixedToken[];
  close(): void;
};

/** Another process may have changed it, which nobody waits for; a busy database has many commits a second. */
const LOOKS_EVERY_MS = 250;

/** Joins what tells who calls to the settings and the store. */
export function joinAccess(
  settings: Settings,
  store: Store,
  commits: CommitSource,
  log: Pick<Logger, 'warn'>,
  failed: FailedCredentials,
): JoinedAccess {
  const { book, fixed } = openAccess(settings, store, log);
  const looks = gather(
    () => book.refresh(),
    () => LOOKS_EVERY_MS,
  );
  const unsubscribe = commits.subscribe(() => looks.ask());
  const isOpen = isOpenMode(settings);
  if (isOpen) log.warn('open mode: everybody on this host may do everything without a credential');
  const forwardAuth = joinForwardAuth(settings);
  const gate = createAdminGate({
    ...{ tokens: fixed, stored: book, guard: guardOf(failed, 'admin') },
    ...(forwardAuth && { forwardAuth }),
    ...(isOpen && { isOpenTo: ({ raw }) => isAskedHere(raw) }),
  });
  return {
    ...{ gate, book, fixed },
    close() {
      unsubscribe();
      looks.close();
      book.close();
    },
  };
}

/** Opens what is kept of tokens and sessions. */
export function openAccess(settings: Settings, store: Store, log: Pick<Logger, 'warn'>) {
  const fixed = listTokens(settings);
  const { sessionIdleMs: idleMs, sessionMaxMs: maxMs } = settings;
  const book = new AccessBook({ store, tokens: fixed, times: { idleMs, maxMs }, log });
  book.reload();
  return { book, fixed };
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
    ...{ header, adminValue, nicknameHeader },
    isTrusted: matchAddresses(trustedProxies),
  });
}
