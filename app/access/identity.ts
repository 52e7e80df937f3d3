import type { Access } from '../domain/access.ts';

/** Who calls. */
export type Identity = {
  /** For every record: `token:NAME`, `session:NAME`, `person:NAME`, `cli:USER`, or `anyone` in open mode. */
  readonly name: string;
  /** By what the caller is known. */
  readonly by: 'token' | 'session' | 'forward-auth' | 'local-socket' | 'open';
  readonly access: Access;
  /** A browser sends what it is known by of its own accord, so a page of another site could have it do so. */
  readonly isAmbient: boolean;
  /** When it ends at the latest, in milliseconds; null: it has no end of its own. */
  readonly endsAt: number | null;
  /** The token or the session by which it is known, as it is kept; null: by neither. */
  readonly id: string | null;
  /** False once it has ended, was revoked or signed out: what it has opened is closed then. */
  isGood(): boolean;
};

/** Somebody who is known by what cannot end while the process runs. */
export function lastingIdentity(
  who: Pick<Identity, 'name' | 'by' | 'access' | 'isAmbient'> & { readonly id?: string },
): Identity {
  return { id: null, ...who, endsAt: null, isGood: () => true };
}
