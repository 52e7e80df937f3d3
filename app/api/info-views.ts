import * as z from 'zod';
import { type Answer, errorCode, moment } from './answer.ts';
import { storedHookView } from './hook-views.ts';

const words = z.string().nullable();
const maybe = moment.nullable();

/** What `GET /api/config` answers: what an interface needs before anybody has signed in. */
export const configView = z
  .strictObject({
    web: z.strictObject({
      webhook_url_prefix: words.describe('PODUP_PUBLIC_BASE_URL.'),
      github_webhook_path_prefix: z.string(),
    }),
  })
  .meta({ id: 'Config' });

/** Data of the one event of `GET /sse/hello`. */
export const helloView = z
  .strictObject({ message: z.string(), timestamp: z.int() })
  .meta({ id: 'Hello' });

const resourceView = z
  .strictObject({
    path: z.string(),
    exists: z.boolean(),
    is_dir: z.boolean(),
    size: z.int().min(0).nullable().describe('In bytes; null where it is no file.'),
    modified_ts: z.int().nullable().describe('Seconds since the epoch.'),
  })
  .meta({ id: 'Resource' });
/** A file or folder of the state, as it is now. */
export type ResourceView = Answer<typeof resourceView>;

/** What `GET /api/settings` answers. */
export const settingsView = z
  .strictObject({
    env: z.strictObject({
      PODUP_STATE_DIR: z.string(),
      PODUP_TOKEN_configured: z.boolean(),
      PODUP_GH_WEBHOOK_SECRET_configured: z.boolean(),
    }),
    settings: z.array(
      z.strictObject({
        variable: z.string(),
        value: words.describe('What was given, else the default; null where there is none.'),
        configured: z.boolean().describe('Somebody has set it; of secrets nothing more is said.'),
        secret: z.boolean(),
        from: words.describe('The variable, `NAME_FILE` or `credential NAME`.'),
      }),
    ),
    warnings: z.array(z.string()).describe('What was odd about them.'),
    systemd: z.strictObject({
      manual_units: z.array(z.string()).describe('PODUP_MANUAL_UNITS.'),
      discovered_units: z.strictObject({ count: z.int().min(0), units: z.array(z.string()) }),
    }),
    tasks: z.strictObject({ task_retention_secs: z.int().min(0) }),
    database: z.strictObject({ path: z.string(), error: errorCode.nullable() }),
    resources: z.strictObject({
      state_dir: resourceView,
      database_file: resourceView,
      debug_payload: resourceView,
    }),
    version: z.strictObject({ package: z.string(), release_tag: z.string(), commit: z.string() }),
  })
  .meta({ id: 'Settings' });
/** What `GET /api/settings` answers. */
export type SettingsView = Answer<typeof settingsView>;

const hookView = z
  .strictObject({
    unit: z.string(),
    slug: z.string(),
    webhook_path: z.string(),
    redeploy_path: z.string(),
    webhook_url: words.describe('Null without PODUP_PUBLIC_BASE_URL.'),
    redeploy_url: words,
    expected_image: words.describe('What the unit runs; null where that is not known yet.'),
    last_ts: maybe.describe('The last request, whatever came of it.'),
    last_status: z.int().nullable(),
    last_request_id: words,
    last_success_ts: maybe.describe('The last delivery with a good signature.'),
    last_accepted_ts: maybe.describe('The last one of them that led to a task.'),
    last_failure_ts: maybe,
    hmac_ok: z
      .boolean()
      .nullable()
      .describe('Whether the last signature that could be judged was good; null: there was none.'),
    hmac_last_error: errorCode.nullable(),
  })
  .meta({ id: 'Hook' });

/** What `GET /api/webhooks/status` answers: of each unit that webhooks may update and of each hook, and of no other path. */
export const hooksView = z
  .strictObject({
    now: moment,
    secret_configured: z.boolean(),
    units: z.array(hookView).describe('By slug.'),
    hooks: z.array(storedHookView).describe('Those that were made for senders, by name.'),
  })
  .meta({ id: 'Hooks' });
/** What `GET /api/webhooks/status` answers. */
export type HooksView = Answer<typeof hooksView>;

/** What `GET /api/version/check` answers. */
export const versionCheckView = z
  .strictObject({
    current: z.strictObject({ package: z.string(), release_tag: z.string() }),
    latest: z.strictObject({
      release_tag: z.string(),
      published_at: words.describe('As its manifest says; null where it has none.'),
    }),
    has_update: z.boolean().nullable().describe('Null where the versions cannot be compared.'),
    compare_reason: z.enum(['semver', 'uncomparable']),
    checked_at: z.int().describe('Seconds since the epoch.'),
  })
  .meta({ id: 'VersionCheck' });
/** What `GET /api/version/check` answers. */
export type VersionCheckView = Answer<typeof versionCheckView>;
