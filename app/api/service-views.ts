import * as z from 'zod';
import { UNIT_SOURCES } from '../domain/found-unit.ts';
import { REFUSALS, type RefusalReason } from '../domain/unit-triggers.ts';
import { type Answer, failureView, moment } from './answer.ts';
import { updateView } from './check-views.ts';

const source = z.enum(UNIT_SOURCES).meta({ id: 'UnitSource' });

/** A word that older scripts write for yes. */
const flag = z
  .enum(['1', 'true', 'yes', 'on', '0', 'false', 'no', 'off'])
  .transform((word) => ['1', 'true', 'yes', 'on'].includes(word))
  .optional();

/** Query of `GET /api/manual/services`. */
export const servicesQuery = z.strictObject({
  discover: flag.describe('Looks for units first.'),
  refresh: flag.describe('Looks for units first, and asks the registries for updates.'),
});

/** Where a unit was found. */
const foundView = z
  .strictObject({
    source,
    path: z.string().nullable().describe('Null for a container.'),
    image: z.string().nullable(),
    fault: z.string().nullable().describe('What is wrong with the file.'),
    first_seen_at: moment,
    last_seen_at: moment,
  })
  .meta({ id: 'FoundUnit' });

const admissionView = z
  .strictObject({
    allowed: z.boolean(),
    reason: z
      .enum(Object.keys(REFUSALS) as [RefusalReason, ...RefusalReason[]])
      .nullable()
      .describe('Why not; docs/units.md.'),
  })
  .meta({ id: 'Admission' });

const serviceView = z
  .strictObject({
    slug: z.string().describe('The unit without its ending, as it stands in URLs.'),
    unit: z.string(),
    display_name: z.string(),
    default_image: z.string().nullable().describe('As its file names it.'),
    github_path: z.string().describe('Where its webhook goes.'),
    source: z
      .enum(['manual', 'discovered'])
      .describe('`manual`: it is one of PODUP_MANUAL_UNITS, found or not.'),
    is_auto_update: z.boolean().describe('It is the unit of podman auto-update itself.'),
    update: updateView,
    is_found: z.boolean(),
    found: z.array(foundView),
    auto_update: z.boolean().describe('AutoUpdate=registry.'),
    has_policy: z.boolean().describe('It has a section [X-PodUp].'),
    webhook_enabled: z.boolean().nullable().describe('Null: it does not say.'),
    may: z
      .strictObject({
        person: admissionView,
        batch: admissionView,
        webhook: admissionView,
        schedule: admissionView,
      })
      .describe('Who may have it deployed.'),
  })
  .meta({ id: 'Service' });

export type ServiceView = Answer<typeof serviceView>;

const sweepView = z
  .strictObject({
    source,
    swept_at: moment.nullable().describe('The last whole look; null: there was none yet.'),
    failing_since: moment.nullable(),
    error: failureView.nullable(),
  })
  .meta({ id: 'DiscoverySweep' });

/** Answer of `GET /api/manual/services`. */
export const servicesView = z
  .strictObject({
    services: z.array(serviceView),
    discovered: z.strictObject({
      count: z.number(),
      units: z.array(z.string()),
      detail: z.array(z.strictObject({ unit: z.string(), source })),
    }),
    discovery: z.strictObject({
      auto_discover: z.boolean().describe('PODUP_AUTO_DISCOVER.'),
      is_looking: z.boolean().describe('A look is on its way; what is told was found before.'),
      sources: z.array(sweepView),
    }),
  })
  .meta({ id: 'Services' });

export type ServicesView = Answer<typeof servicesView>;
