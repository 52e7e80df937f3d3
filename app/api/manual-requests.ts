import * as z from 'zod';

/** Longer than every list of units of one host. */
const MAX_UNITS = 500;

/** What is left empty in a form says as little as what is left out. */
const said = (max: number) =>
  z
    .string()
    .max(max)
    .nullish()
    .transform((text) => text?.trim() || undefined);

/** Who asks and why, in their own words, and the token of callers that send no header; the older programs' scripts do. */
const asked = {
  caller: said(200),
  reason: said(500),
  token: z.string().max(4096).optional(),
};
const dry_run = z.boolean().default(false);

const selection = {
  all: z.boolean().default(false),
  units: z.array(z.string().min(1).max(255)).max(MAX_UNITS).default([]),
};

/** Body of `POST /api/manual/trigger` (restarts) and of `POST /api/manual/deploy`. */
export const selectionBody = z.strictObject({ ...selection, dry_run, ...asked });

/** Body of `POST /api/manual/auto-update/run`. */
export const autoUpdateBody = z.strictObject({ dry_run, ...asked });

/** Body of `POST /api/manual/services/SLUG` and `/upgrade`; for the values of `image` see `parseWantedVersion`. */
export const serviceBody = z.strictObject({ dry_run, image: said(512), ...asked });

/** Body of `POST /auto-update`. */
export const legacyAutoUpdateBody = z.strictObject(asked);

/** Query of `POST /auto-update`: the token, where the older scripts have it. */
export const legacyAutoUpdateQuery = z.strictObject({ token: z.string().max(4096).optional() });

/** What the `Idempotency-Key` header may be: 1 to 255 visible characters of ASCII. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 visible characters of ASCII');

/** Parameters of `POST /api/manual/services/SLUG`. */
export const slugParams = z.strictObject({
  slug: z.string().describe('The name of a unit, with or without `.service`.'),
});
