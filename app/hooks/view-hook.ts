import type { HookWithSecretView, StoredHookView } from '../api/hook-views.ts';
import type { RefusedHookRow } from '../db/hooks.ts';
import type { HookRecord } from '../db/stored-hooks.ts';
import { IGNORED_REASONS, type IgnoredReason } from '../domain/delivery-verdict.ts';
import type { Source } from '../domain/sources/source.ts';
import { SOURCES } from '../domain/sources/sources.ts';
import {
  HOOK_REFUSALS,
  type HookRefusal,
  isUnsigned,
  refuseHook,
  type StoredHook,
} from '../domain/stored-hook.ts';

/** Where deliveries of hooks go: `/hooks/NAME`. */
export const HOOKS_PREFIX = '/hooks';

/** What is known of a hook beside its rows. */
export type HookFacts = {
  /** The secrets that this host can open. */
  readonly opens: readonly { readonly id: string }[];
  readonly baseUrl: string | undefined;
  readonly nowMs: number;
  readonly refusal: RefusedHookRow | undefined;
};

/** A hook as it is shown. */
export function viewHook(hook: HookRecord, facts: HookFacts): StoredHookView {
  const { name, source, scheme, action, images, units, networks, registry, image } = hook;
  const path = `${HOOKS_PREFIX}/${name}`;
  const open = new Set(facts.opens.map(({ id }) => id));
  // A later version may have known more of them.
  const sender: Source | undefined = SOURCES[source];
  return {
    ...{ name, source, title: sender?.title ?? source, scheme, action, images, units, networks },
    ...{ registry, image, state: stateOf(hook, facts, open.size > 0), path },
    url: facts.baseUrl === undefined ? null : `${facts.baseUrl}${path}`,
    needs_proof: isUnsigned(scheme),
    expires_at: toIso(hook.expiresAt),
    disabled_at: toIso(hook.disabledAt),
    created_at: iso(hook.createdAt),
    created_by: hook.createdBy,
    updated_at: iso(hook.updatedAt),
    updated_by: hook.updatedBy,
    last_used_at: toIso(hook.lastUsedAt),
    last_verdict: hook.lastVerdict as StoredHookView['last_verdict'],
    // A later version may have known more of them.
    last_reason: isReason(hook.lastReason) ? hook.lastReason : null,
    last_refusal: facts.refusal ? viewRefusal(facts.refusal) : null,
    secrets: hook.secrets.map((secret) => ({
      id: secret.id,
      created_at: iso(secret.createdAt),
      created_by: secret.createdBy,
      last_used_at: toIso(secret.lastUsedAt),
      opens: open.has(secret.id),
    })),
  };
}

function stateOf(hook: HookRecord, { nowMs }: HookFacts, isOpen: boolean): StoredHookView['state'] {
  const closed = refuseHook(hook, nowMs);
  if (closed) return closed;
  if (hook.secrets.length === 0) return 'without-secret';
  return isOpen ? 'ready' : 'key-missing';
}

function viewRefusal({ ts, reason, remote_address }: RefusedHookRow) {
  const known = isRefusal(reason) ? reason : null;
  const sentence = known === null ? '' : HOOK_REFUSALS[known];
  return { at: iso(ts), reason: known, sentence, remote_address };
}

function isRefusal(reason: string | null): reason is HookRefusal {
  return reason !== null && Object.hasOwn(HOOK_REFUSALS, reason);
}

function isReason(reason: string | null): reason is IgnoredReason {
  return reason !== null && Object.hasOwn(IGNORED_REASONS, reason);
}

/** A new secret with where it belongs. */
export function viewNewSecret(
  { name, source, scheme }: StoredHook,
  id: string,
  text: string,
  baseUrl: string | undefined,
): HookWithSecretView['secret'] {
  const end = scheme === 'path-secret' ? `/${text}` : '';
  const path = `${HOOKS_PREFIX}/${name}${end}`;
  const url = baseUrl === undefined ? null : `${baseUrl}${path}`;
  return { id, text, path, url, header: headerOf(source, scheme, text) };
}

function headerOf(
  source: StoredHook['source'],
  scheme: StoredHook['scheme'],
  text: string,
): string | null {
  if (scheme === 'authorization') return `Authorization: Bearer ${text}`;
  if (scheme !== 'shared-token') return null;
  const header = SOURCES[source].signatureHeaders.find((one) => one.scheme === scheme);
  return header ? `${header.name}: ${header.prefix}${text}` : null;
}

function toIso(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
