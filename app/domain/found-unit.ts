import type { UnitMarks } from './unit-triggers.ts';

/**
 * Where a unit that runs a container was found: `quadlet` a file that Quadlet's generator reads, `unit-file` a service
 * that systemd reads (Quadlet's own product included), `podman` a container that says which unit has made it.
 */
export const UNIT_SOURCES = ['quadlet', 'unit-file', 'podman'] as const;
export type UnitSource = (typeof UNIT_SOURCES)[number];

/** A unit that runs a container, as it was found in one place. */
export type FoundUnit = UnitMarks & {
  readonly unit: string;
  /** The file; null for what podman says. */
  readonly path: string | null;
  /** The image as it stands there; null where it cannot be told. */
  readonly image: string | null;
  /** What is wrong with its file; null: nothing that was noticed. */
  readonly fault: string | null;
};

/**
 * What a unit says for itself in all places together. A file says what is meant, a container only what was meant when it
 * was made: it is asked where there is no file. Where places disagree about webhooks, the one that turns them off wins.
 */
export function mergeMarks(
  found: readonly (FoundUnit & { readonly source: UnitSource })[],
): UnitMarks {
  const files = found.filter(({ source }) => source !== 'podman');
  const asked = files.length > 0 ? files : found;
  const said = found.map(({ webhookEnabled }) => webhookEnabled);
  return {
    isAutoUpdated: asked.some(({ isAutoUpdated }) => isAutoUpdated),
    hasPolicy: asked.some(({ hasPolicy }) => hasPolicy),
    webhookEnabled: said.includes(false) ? false : said.includes(true) ? true : null,
  };
}

/** The image of a unit, by its files, and where it has none by its container; null where that cannot be told. */
export function findImageAmong(
  found: readonly (Pick<FoundUnit, 'image'> & { readonly source: UnitSource })[],
): string | null {
  const files = found.filter(({ source }) => source !== 'podman');
  const asked = files.length > 0 ? files : found;
  const named = UNIT_SOURCES.flatMap((wanted) => asked.filter(({ source }) => source === wanted));
  return named.find(({ image }) => image !== null)?.image ?? null;
}
