import { field, text } from './json-fields.ts';
import type { HeaderLookup } from './source.ts';

/** What is read of a CloudEvent 1.0. */
export type CloudEvent = { readonly type: string; readonly id: string; readonly data: unknown };

/**
 * A CloudEvent in either of its forms over HTTP: structured, with the envelope in the body, or binary, with the envelope in the
 * headers `ce-…` and the data as the body (CloudEvents HTTP binding 1.0, §3.1, §3.2). Undefined for anything else.
 */
export function readCloudEvent(headers: HeaderLookup, payload: unknown): CloudEvent | undefined {
  if (text(field(payload, 'specversion')) !== '')
    return {
      type: text(field(payload, 'type')),
      id: text(field(payload, 'id')),
      data: field(payload, 'data'),
    };
  const type = headers('ce-type');
  if (type === undefined || headers('ce-specversion') === undefined) return undefined;
  return { type, id: headers('ce-id') ?? '', data: payload };
}
