import * as z from 'zod';
import { HIGHER_TAGS } from '../domain/tag-version.ts';
import { UPDATE_STATUSES } from '../domain/update-verdict.ts';
import { type Answer, errorCode, failureView, moment } from './answer.ts';

const status = z.enum(UPDATE_STATUSES).meta({ id: 'UpdateStatus' });
const digest = z.string().nullable();

/** Tags that are higher versions. */
const higherView = z.strictObject({
  within: z.enum(HIGHER_TAGS).describe('How far up.'),
  tags: z.array(z.string()).describe('The highest first, 20 at most.'),
  cut: z.boolean().describe('The registry has more tags than were read.'),
  listed_at: moment,
  error: failureView.nullable().describe('Why they are not known.'),
});

export type HigherView = Answer<typeof higherView>;

/** What a unit runs, compared with its registry. */
export const updateView = z
  .strictObject({
    status,
    tag: z.string().nullable().describe('Of the unit; null where its image is not known.'),
    running_digest: digest.describe('Of what runs, as the registry names it where it does.'),
    remote_tag_digest: digest.describe('What the tag meant when that was last said.'),
    remote_latest_digest: digest,
    checked_at: moment.nullable().describe('Null: updates were never looked for.'),
    age_ms: z
      .number()
      .nullable()
      .describe('Since the oldest answer that the status rests on; null where there is none.'),
    stale: z.boolean().describe('Older than PODUP_UPDATE_STALE_AFTER.'),
    reason: errorCode.nullable().describe('The code of `error`.'),
    error: failureView.nullable().describe('Why the status is unknown.'),
    last_known: status
      .nullable()
      .describe('The status before the last question failed; null where it did not.'),
    higher: higherView
      .nullable()
      .describe('Null where the tag is no version, or the unit does not want to hear of it.'),
  })
  .meta({ id: 'Update' });

export type UpdateView = Answer<typeof updateView>;

/** A unit, and whether its registry has something newer. */
const checkedUnitView = z
  .strictObject({ unit: z.string(), image: z.string().nullable(), update: updateView })
  .meta({ id: 'CheckedUnit' });

export type CheckedUnitView = Answer<typeof checkedUnitView>;

/** What a registry allows, as it said itself. */
const registryView = z
  .strictObject({
    host: z.string(),
    limit: z.number().nullable(),
    remaining: z.number().nullable(),
    window_s: z.number().nullable(),
    paused_until: moment.nullable().describe('It is not asked before; null: it may be.'),
    updated_at: moment,
  })
  .meta({ id: 'Registry' });

export type RegistryView = Answer<typeof registryView>;

const found = {
  checks: z.array(checkedUnitView),
  registries: z.array(registryView).describe('Those that limit what they are asked.'),
};

/** Answer of `GET /api/update-checks`. */
export const updateChecksView = z.strictObject(found).meta({ id: 'UpdateChecks' });

export type UpdateChecksView = Answer<typeof updateChecksView>;

/** Answer of `POST /api/update-checks`: what was done, and what the units are now. */
export const checkDoneView = z
  .strictObject({
    asked: z.number().describe('How many tags were asked for.'),
    failed: z.number().describe('How many of them were not answered.'),
    duration_ms: z.number(),
    ...found,
  })
  .meta({ id: 'CheckDone' });

export type CheckDoneView = Answer<typeof checkDoneView>;
