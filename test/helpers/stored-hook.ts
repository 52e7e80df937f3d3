import type { StoredHook } from '../../app/domain/stored-hook.ts';

/** A hook for GitHub that lets everything in, as `over` changes it. */
export function storedHook(name = 'forge', over: Partial<StoredHook> = {}): StoredHook {
  return {
    ...{ name, source: 'github', scheme: 'hmac-sha256', action: 'deploy' },
    ...{ images: [], units: [], networks: [], registry: null, image: null },
    ...{ expiresAt: null, disabledAt: null, ...over },
  };
}
