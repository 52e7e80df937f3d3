import type { Outcome } from '../../../shared/contract/outcome.ts';
import type { ListedRelease } from '../../domain/release-choice.ts';

/** A release of a source, with what is needed to get its files. */
export type SourceRelease = ListedRelease & {
  /** Where each file lies, by its name; null where the source does not list them. */
  readonly assets: ReadonlyMap<string, string> | null;
};

/** Which part of a file is wanted. */
export type AssetWish = {
  /** From this byte on; zero for the whole. */
  readonly offset: number;
  /** What the first part was; where it has changed the whole comes. Null with offset zero. */
  readonly etag: string | null;
};

/** What a source has of a file. */
export type AssetAnswer =
  | { readonly kind: 'missing' }
  /** There is nothing from the wanted byte on. */
  | { readonly kind: 'out-of-range' }
  | AssetContent;

/** Bytes on their way. Either all are taken, or `discard` is called. */
export type AssetContent = {
  readonly kind: 'content';
  /** Where they begin: as wished, or zero. */
  readonly offset: number;
  /** How long the whole file is, where that is said. */
  readonly total: number | null;
  /** Tells this content from any other of that name; null where nothing does. */
  readonly etag: string | null;
  /** Throws a `FailureError` where it breaks off. */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly discard: () => void;
};

/**
 * Where releases come from. What may be tried again fails with RELEASE_SOURCE_UNREACHABLE, everything else with
 * another code.
 */
export type ReleaseSource = {
  /** For people. */
  readonly name: string;
  list(): Promise<Outcome<readonly SourceRelease[]>>;
  /** The release with this tag; undefined where there is none. */
  find(tag: string): Promise<Outcome<SourceRelease | undefined>>;
  open(release: SourceRelease, asset: string, wish: AssetWish): Promise<Outcome<AssetAnswer>>;
  close(): Promise<void>;
};

/** The wish for a whole file. */
export const WHOLE: AssetWish = { offset: 0, etag: null };
