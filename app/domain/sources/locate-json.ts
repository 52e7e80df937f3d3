import type { Source } from './source.ts';

/** Where in a body its JSON is, and what of it the sender has signed; both are the body itself unless it is a form. */
export type LocatedJson = { readonly json: Buffer; readonly signed: Buffer };

const FORM_TYPE = /^application\/x-www-form-urlencoded *(?:;|$)/i;

/**
 * Finds the JSON of a body. One that is no form, or from a source that has none, is taken for JSON whatever type is announced; a form
 * without its field has empty JSON. Nothing of the JSON is read, so that it can be verified first.
 */
export function locateJson(
  { form }: Pick<Source, 'form'>,
  contentType: string | undefined,
  body: Buffer,
): LocatedJson {
  if (form === undefined || !FORM_TYPE.test(contentType ?? '')) return { json: body, signed: body };
  const json = Buffer.from(new URLSearchParams(body.toString('utf8')).get('payload') ?? '');
  return { json, signed: form === 'payload' ? json : body };
}
