import * as z from 'zod';
import { ATTENTION_KINDS } from '../domain/attention-facts.ts';
import { SEVERITIES } from '../domain/health.ts';
import { type Answer, errorCode, moment } from './answer.ts';

const attentionItemView = z
  .strictObject({
    id: z.string().describe('Of this very occasion; the same on another day has another one.'),
    kind: z.enum(ATTENTION_KINDS),
    severity: z.enum(SEVERITIES),
    unit: z.string().nullable(),
    code: errorCode.nullable(),
    message: z.string().describe('What is the matter, in one sentence.'),
    detail: z.string().describe('What was seen; may be empty.'),
    since: moment,
    action: z
      .strictObject({
        hint: z.string(),
        command: z.string().nullable(),
        api: z
          .strictObject({ method: z.enum(['GET', 'POST', 'DELETE']), path: z.string() })
          .nullable(),
      })
      .describe('What a person can do: in words, as a command, as a call.'),
    seen: z
      .strictObject({ at: moment, by: z.string() })
      .nullable()
      .describe('Who has said that it was seen; null: nobody yet.'),
  })
  .meta({ id: 'AttentionItem', description: 'Something that wants a person.' });
/** Something that wants a person. */
export type AttentionItemView = Answer<typeof attentionItemView>;

/** Everything that wants a person. */
export const attentionView = z
  .strictObject({
    items: z.array(attentionItemView).describe('Errors first, of each the latest first.'),
    counts: z.strictObject({
      error: z.int().min(0),
      warning: z.int().min(0),
      unseen: z.int().min(0),
    }),
    complete: z.boolean().describe('False where a source has more than is told.'),
  })
  .meta({ id: 'Attention' });
/** Everything that wants a person. */
export type AttentionView = Answer<typeof attentionView>;

/** That somebody has seen an item. */
export const attentionSeenBody = z.strictObject({
  id: z.string().min(1).max(1000).describe('Of the item.'),
});

/** What it is answered with. */
export const attentionSeenView = z
  .strictObject({ id: z.string(), at: moment, by: z.string() })
  .meta({ id: 'AttentionSeen' });
