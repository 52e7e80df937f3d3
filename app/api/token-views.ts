import * as z from 'zod';
import { type Answer, moment } from './answer.ts';

/** What a token may be called. */
const tokenName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected 1 to 64 letters, digits, . _ or -')
  .refine((name) => !/^podup_/i.test(name), 'PODUP_… are those of the settings');

/** Body of `POST /api/tokens`. */
export const tokenBody = z.strictObject({
  name: tokenName.describe('For every record: `token:NAME`.'),
  scopes: z
    .array(z.string().max(60_000))
    .min(1)
    .max(200)
    .describe('`read`, `admin`, `deploy:*`, or `deploy:UNIT[,UNIT…]`.'),
  expires_at: z.iso
    .datetime({ offset: true })
    .nullish()
    .describe('Until when it is good; without it, until it is revoked.'),
});

/** Parameters of `DELETE /api/tokens/NAME`. */
export const tokenParams = z.strictObject({ name: z.string() });

const fields = {
  name: z.string(),
  scopes: z.array(z.string()),
  state: z.enum(['valid', 'expired', 'revoked']),
  created_at: moment,
  created_by: z.string(),
  expires_at: moment.nullable(),
  revoked_at: moment.nullable(),
  revoked_by: z.string().nullable(),
  last_used_at: moment.nullable().describe('Within a minute; null: never.'),
  last_used_from: z.string().nullable().describe('The address.'),
};

/** A token; itself it is nowhere but in the answer that made it. */
export const tokenView = z.strictObject(fields).meta({ id: 'Token' });
/** A token; itself it is nowhere but in the answer that made it. */
export type TokenView = Answer<typeof tokenView>;

/** What `POST /api/tokens` answers. */
export const newTokenView = z
  .strictObject({ ...fields, token: z.string().describe('It is told this once.') })
  .meta({ id: 'NewToken' });
/** What `POST /api/tokens` answers. */
export type NewTokenView = Answer<typeof newTokenView>;

/** What `GET /api/tokens` answers. */
export const tokensView = z
  .strictObject({
    tokens: z
      .array(tokenView)
      .describe('The newest first; of those that are revoked the last 500.'),
    settings: z
      .array(z.strictObject({ variable: z.string(), scopes: z.array(z.string()) }))
      .describe('Those of the settings, by their variables.'),
  })
  .meta({ id: 'Tokens' });
/** What `GET /api/tokens` answers. */
export type TokensView = Answer<typeof tokensView>;
