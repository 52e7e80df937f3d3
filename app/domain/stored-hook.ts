import type { Scheme, SourceKind } from './sources/source.ts';

/** What a delivery of a hook may lead to: its units are deployed, or only looked at for updates. */
export const HOOK_ACTIONS = ['deploy', 'check'] as const;

/** One of them. */
export type HookAction = (typeof HOOK_ACTIONS)[number];

/** Who may report images to `POST /hooks/NAME`, and for what; its secrets are not in it. */
export type StoredHook = {
  readonly name: string;
  readonly source: SourceKind;
  readonly scheme: Scheme;
  readonly action: HookAction;
  /** Patterns of images, see `isImagePattern`; none: any image. */
  readonly images: readonly string[];
  /** With `.service`; none: all that webhooks may deploy. */
  readonly units: readonly string[];
  /** Addresses and networks (`10.0.0.0/8`) that it may be called from; none: any. */
  readonly networks: readonly string[];
  /** What units call the registry, where the sender does not say it or calls it otherwise. */
  readonly registry: string | null;
  /** What is meant by a sender that names no image. */
  readonly image: string | null;
  /** In milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null;
  readonly disabledAt: number | null;
};

/** Why a hook lets a delivery in not: the closed list, one sentence each. Its sender is told none of it. */
export const HOOK_REFUSALS = {
  unknown: 'There is no hook of that name.',
  disabled: 'The hook is disabled.',
  expired: 'The time of the hook is over.',
  network: 'It was called from an address that the hook does not name.',
  'key-missing': 'The key of its secret is not that of this host: its secret has to be rotated.',
  'secret-missing': 'What the hook is to be opened with was not sent, or not where it belongs.',
  'secret-wrong': 'What was sent does not open the hook.',
} as const;

/** One of them. */
export type HookRefusal = keyof typeof HOOK_REFUSALS;

/** Two: so that a new one can be set up at the sender while the one before still opens. */
export const MAX_SECRETS = 2;

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether a text can be the name of a hook: it stands in a URL, in tasks and in events. */
export function isHookName(text: string): boolean {
  return NAME.test(text);
}

/** Whether a hook lets anybody in at a moment; undefined: it does. */
export function refuseHook(
  { disabledAt, expiresAt }: Pick<StoredHook, 'disabledAt' | 'expiresAt'>,
  nowMs: number,
): 'disabled' | 'expired' | undefined {
  if (disabledAt !== null) return 'disabled';
  return expiresAt !== null && expiresAt <= nowMs ? 'expired' : undefined;
}

/**
 * Whether a sender signs with the secret, so that this host has to have it again; else it sends it whole, and its digest is
 * enough to know it by.
 */
export function isSigning(scheme: Scheme): boolean {
  return scheme === 'hmac-sha256' || scheme === 'standard-webhooks';
}

/** Whether nothing but the URL speaks for a sender: what it says was pushed has to be found at the registry. */
export function isUnsigned(scheme: Scheme): boolean {
  return scheme === 'path-secret';
}
