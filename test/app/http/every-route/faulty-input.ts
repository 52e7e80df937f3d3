import type { Operation } from '../../../../app/api/openapi.ts';
import type { JsonSchema } from '../../../../app/api/openapi-schemas.ts';

/** A wrong value for one field, and the field that the refusal has to name. */
export type Fault<T> = { readonly field: string; readonly given: T };

/** One fault for each parameter of a query that does not take everything, and one that nobody knows. */
export function faultyQueries({ parameters = [] }: Operation): readonly Fault<string>[] {
  const known = parameters
    .filter((parameter) => parameter.in === 'query')
    .flatMap(({ name, schema }) => {
      const value = wrongText(schema);
      return value === undefined ? [] : [{ field: name, given: `${name}=${value}` }];
    });
  const isRead = parameters.some((parameter) => parameter.in === 'query');
  return isRead ? [...known, { field: 'zz', given: 'zz=1' }] : [];
}

/** One fault for each field of a body, each in an otherwise good one, and one field that nobody knows. */
export function faultyBodies(
  { requestBody }: Operation,
  good: Readonly<Record<string, unknown>>,
): readonly Fault<Readonly<Record<string, unknown>>>[] {
  const schema = requestBody?.content['application/json']?.schema;
  if (!schema) return [];
  const shapes = (schema['anyOf'] ?? schema['oneOf'] ?? [schema]) as readonly JsonSchema[];
  const shape = shapes.find((one) => Object.keys(good).every((name) => name in propertiesOf(one)));
  const known = Object.entries(propertiesOf(shape ?? {})).map(([name, property]) => ({
    field: name,
    given: { ...good, [name]: property['type'] === 'object' ? 'x' : { x: 1 } },
  }));
  return [...known, { field: 'zz', given: { ...good, zz: 1 } }];
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
}

/** Undefined where every text is right. */
function wrongText(schema: JsonSchema): string | undefined {
  const { type, enum: words, pattern, format, minLength, anyOf } = schema;
  if (type === 'integer' || type === 'number' || type === 'boolean') return 'x';
  if (words ?? pattern ?? format ?? anyOf) return '~';
  return minLength === undefined ? undefined : '';
}
