import * as z from 'zod';
import { parseUnitName } from '../../shared/contract/unit-name.ts';
import { isImagePattern } from '../domain/image-pattern.ts';
import { parseQualifiedReference } from '../domain/image-reference.ts';
import { isRegistryPrefix } from '../domain/sources/pushed-images.ts';
import { SCHEMES, SOURCE_KINDS } from '../domain/sources/sources.ts';
import { HOOK_ACTIONS, isHookName } from '../domain/stored-hook.ts';

const MAX_ITEMS = 100;

const name = z
  .string()
  .refine(isHookName, 'must be 1 to 63 small letters, digits and dashes')
  .describe('1 to 63 small letters, digits and dashes; it stands in the URL.');

const images = z
  .array(z.string().refine(isImagePattern, 'must be a pattern such as ghcr.io/acme/*'))
  .max(MAX_ITEMS)
  .describe(
    'Patterns of images that it may report, such as `ghcr.io/acme/*`, `ghcr.io/acme/**` or `ghcr.io/acme/web:v1.*`. Empty: any.',
  );

const unit = z.string().transform((raw, context) => {
  const parsed = parseUnitName(raw);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be the name of a service' });
  return z.NEVER;
});

const units = z
  .array(unit)
  .max(MAX_ITEMS)
  .describe('Units that it may report for. Empty: all that webhooks may deploy.');

const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

const networks = z
  .array(network)
  .max(MAX_ITEMS)
  .describe('Addresses and networks (`192.0.2.0/24`) that it may be called from. Empty: any.');

const registry = z
  .string()
  .max(300)
  .refine(isRegistryPrefix, 'must be a host, and a port or a path if need be')
  .nullable()
  .describe(
    'What units call the registry, where the sender does not say it or calls it otherwise.',
  );

const image = z
  .string()
  .max(512)
  .refine((raw) => parseQualifiedReference(raw)?.digest === undefined, 'must not have a digest')
  .refine((raw) => parseQualifiedReference(raw) !== undefined, 'must name its registry')
  .nullable()
  .describe('What is meant by a sender that names no image, such as a pipeline.');

const action = z
  .enum(HOOK_ACTIONS)
  .describe('`check`: its units are only looked at for updates, and nothing is deployed.');

const expiresAt = z.iso
  .datetime({ offset: true })
  .nullable()
  .describe('When it lets nobody in any more; null: never.');

/** Parameters of the routes of one hook; what can be no name is not found. */
export const hookParams = z.strictObject({ name: z.string().max(200) });

/** Parameters of the route of one secret. */
export const hookSecretParams = z.strictObject({
  name: z.string().max(200),
  id: z.string().max(100).describe('`id` of one of its `secrets`.'),
});

/** Body of `POST /api/hooks`. */
export const createHookBody = z.strictObject({
  name,
  source: z.enum(SOURCE_KINDS).describe('What kind of sender it is for.'),
  scheme: z
    .enum(SCHEMES)
    .optional()
    .describe('How the sender proves itself; without it the best that it can do.'),
  images: images.default([]),
  units: units.default([]),
  networks: networks.default([]),
  registry: registry.default(null),
  image: image.default(null),
  action: action.default('deploy'),
  expires_at: expiresAt.default(null),
});
/** What a new hook is to be. */
export type CreateHook = z.output<typeof createHookBody>;

/** Body of `PATCH /api/hooks/NAME`: what is not in it stays. */
export const updateHookBody = z
  .strictObject({ images, units, networks, registry, image, action, expires_at: expiresAt })
  .partial();
/** What of a hook is to be changed. */
export type UpdateHook = z.output<typeof updateHookBody>;

/** Body of `POST /api/hooks/NAME/rotate`. */
export const rotateHookBody = z.strictObject({
  keep_previous: z
    .boolean()
    .default(true)
    .describe('Whether the newest of those before it opens the hook as well, until it is removed.'),
});

/** Parameters of `POST /hooks/NAME`. */
export const hookPathParams = z.strictObject({ hook: z.string() });

/** Parameters of `POST /hooks/NAME/SECRET`. */
export const hookPathSecretParams = z.strictObject({
  hook: z.string(),
  secret: z.string().describe('Of a hook of the scheme `path-secret`; it is recorded nowhere.'),
});
