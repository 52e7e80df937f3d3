import type { Source } from './source.ts';

/** Where in a body its JSON is, and which bytes the sender has signed; both are the body itself unless it is a form. */
export type LocatedJson = { readonly json: string; readonly signed: string };

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i;
const FORM_TYPE = /^application\/x-www-form-urlencoded *(?:;|$)/i;

/**
 * Finds the JSON of a body of the type that is announced. Undefined for any other type, for a form from a source that has none,
 * and for one without its field. Nothing of the JSON is read, so that it can be verified first.
 */
export function locateJson(
  source: Pick<Source, 'form'>,
  contentType: string | undefined,
  body: string,
): LocatedJson | undefined {
  if (JSON_TYPE.test(contentType ?? '')) return { json: body, signed: body };
  if (source.form === undefined || !FORM_TYPE.test(contentType ?? '')) return undefined;
  const json = new URLSearchParams(body).get('payload');
  if (json === null) return undefined;
  return { json, signed: source.form === 'payload' ? json : body };
}
