import * as z from 'zod';
import { IGNORED_REASONS, type IgnoredReason } from '../domain/delivery-verdict.ts';
import { SCHEMES, SOURCE_KINDS } from '../domain/sources/sources.ts';
import { HOOK_ACTIONS, HOOK_REFUSALS, type HookRefusal } from '../domain/stored-hook.ts';
import { type Answer, moment } from './answer.ts';

const maybe = moment.nullable();
const refusals = Object.keys(HOOK_REFUSALS) as [HookRefusal, ...HookRefusal[]];
const reasons = Object.keys(IGNORED_REASONS) as [IgnoredReason, ...IgnoredReason[]];

const hookSecretView = z
  .strictObject({
    id: z.string(),
    created_at: moment,
    created_by: z.string(),
    last_used_at: maybe,
    opens: z.boolean().describe('False: this host cannot open it, see `HOOK_KEY_MISSING`.'),
  })
  .meta({ id: 'HookSecret' });

/** One hook; its secrets are only named. */
export const storedHookView = z
  .strictObject({
    name: z.string(),
    source: z.enum(SOURCE_KINDS),
    title: z.string().describe('The name of that kind of sender, for people.'),
    scheme: z.enum(SCHEMES),
    action: z.enum(HOOK_ACTIONS),
    images: z.array(z.string()),
    units: z.array(z.string()),
    networks: z.array(z.string()),
    registry: z.string().nullable(),
    image: z.string().nullable(),
    state: z
      .enum(['ready', 'disabled', 'expired', 'key-missing', 'without-secret'])
      .describe('Only when it is `ready` it lets anybody in.'),
    path: z.string().describe('Where its deliveries go; a secret in it is left out.'),
    url: z.string().nullable().describe('The same with PODUP_PUBLIC_BASE_URL before it.'),
    needs_proof: z
      .boolean()
      .describe(
        'Nothing but the URL speaks for the sender: digests are looked up at the registry.',
      ),
    expires_at: maybe,
    disabled_at: maybe,
    created_at: moment,
    created_by: z.string(),
    updated_at: moment,
    updated_by: z.string(),
    last_used_at: maybe.describe('When the last delivery was let in.'),
    last_verdict: z.enum(['accepted', 'ignored', 'duplicate', 'ping']).nullable(),
    last_reason: z.enum(reasons).nullable().describe('Why it led to nothing.'),
    last_refusal: z
      .strictObject({
        at: moment,
        reason: z.enum(refusals).nullable(),
        sentence: z.string(),
        remote_address: z.string().nullable(),
      })
      .nullable()
      .describe('When somebody was let in not the last time, and why.'),
    secrets: z.array(hookSecretView).describe('The live ones, the newest first.'),
  })
  .meta({ id: 'StoredHook' });
/** One hook. */
export type StoredHookView = Answer<typeof storedHookView>;

/** All hooks, by name. */
export const storedHooksView = z
  .strictObject({ hooks: z.array(storedHookView) })
  .meta({ id: 'StoredHooks' });

/** A hook with a new secret, which is shown this once. */
export const hookWithSecretView = z
  .strictObject({
    hook: storedHookView,
    secret: z
      .strictObject({
        id: z.string(),
        text: z.string(),
        path: z.string().describe('Where its deliveries go.'),
        url: z.string().nullable(),
        header: z
          .string()
          .nullable()
          .describe('The header that the sender has to send; null where it signs, or has none.'),
      })
      .describe('Shown this once: it cannot be had again.'),
  })
  .meta({ id: 'HookWithSecret' });
/** A hook with a new secret. */
export type HookWithSecretView = Answer<typeof hookWithSecretView>;

const hookDeliveryView = z
  .strictObject({
    delivery: z.string(),
    unit: z.string().nullable().describe('Null: it concerns none.'),
    verdict: z.enum(['accepted', 'ignored', 'duplicate', 'ping']),
    reason: z.enum(reasons).nullable(),
    detail: z.string().nullable(),
    image: z.string().nullable(),
    matched: z.enum(['tag', 'repository']).nullable(),
    digest: z.string().nullable(),
    of: z.string().nullable().describe('The delivery that it repeats.'),
  })
  .meta({ id: 'HookDelivery' });

/** What became of a delivery of a hook, for each unit that it concerns. */
export const hookReceivedView = z
  .strictObject({
    hook: z.string(),
    verdict: z
      .enum(['accepted', 'ignored', 'duplicate', 'ping'])
      .describe('`accepted` where it is for any of the units.'),
    deliveries: z.array(hookDeliveryView),
    request_id: z.string(),
  })
  .meta({ id: 'HookReceived' });
/** What became of a delivery of a hook. */
export type HookReceivedView = Answer<typeof hookReceivedView>;
