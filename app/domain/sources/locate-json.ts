import type { Source } from './source.ts';

/** Where in a body its JSON is, and what of it the sender has signed; both are the body itself unless it is a form. */
export type LocatedJson = { readonly json: Buffer; readonly signed: Buffer };

const FORM_TYPE = /^application\/x-www-form-urlencoded *(?:;|$)/i;
/** No name of the form is written with escapes: there are senders of one name only. */
const FIELD = /(?:^|&)(payload=[^&]*)/;

/**
 * Finds the JSON of a body. One that is no form, or from a source that has none, is taken for JSON whatever type is announced; a form
 * without its field has empty JSON. Nothing of the JSON is read, so that it can be verified first; and of a form only the one field is,
 * for nobody has proven anything yet, and a body of a megabyte can have half a million of them.
 */
export function locateJson(
  { form }: Pick<Source, 'form'>,
  contentType: string | undefined,
  body: Buffer,
): LocatedJson {
  if (!FORM_TYPE.test(contentType ?? '')) return { json: body, signed: body };
  // One byte each: the first field is where it is in any encoding, and what is not ASCII in it is read as what it is.
  const field = FIELD.exec(body.toString('latin1'))?.[1] ?? '';
  const text = Buffer.from(field, 'latin1').toString('utf8');
  const json = Buffer.from(new URLSearchParams(text).get('payload') ?? '');
  // Only now, so that the time does not say which senders there are hooks for.
  if (form === undefined) return { json: body, signed: body };
  return { json, signed: form === 'payload' ? json : body };
}
