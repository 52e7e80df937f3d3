import * as z from 'zod';

/** A JSON Schema, or any part of one. */
export type JsonSchema = { readonly [key: string]: unknown };

/** What schemas became: those with a name of their own, and a reference to, or the text of, each that was asked for. */
export type JsonSchemas = {
  readonly named: Readonly<Record<string, JsonSchema>>;
  readonly of: (schema: z.ZodType) => JsonSchema;
};

const PLACE = '#/components/schemas/';
/** Where zod puts what has a name and was not asked for. */
const SHARED = '__shared';

/**
 * Writes schemas as JSON Schema of OpenAPI 3.1. `input` is what a caller may send, `output` what it is answered with: there
 * more may come than is said, for a newer program may say more.
 */
export function toJsonSchemas(schemas: readonly z.ZodType[], io: 'input' | 'output'): JsonSchemas {
  const registry = z.registry<{ id: string }>();
  const ids = new Map<z.ZodType, string>();
  const byId = new Map<string, z.ZodType>();
  for (const schema of new Set(schemas)) {
    const id = nameOf(schema) ?? `${io}-${ids.size}`;
    if (byId.has(id)) throw new Error(`Two schemas are called ${id}.`);
    ids.set(schema, id);
    byId.set(id, schema);
    registry.add(schema, { id });
  }
  const { schemas: written } = z.toJSONSchema(registry, {
    io,
    uri: (id) => `${PLACE}${id}`,
    override: ({ jsonSchema }) => simplify(jsonSchema, io),
  });
  const { [SHARED]: shared, ...own } = JSON.parse(
    JSON.stringify(written).replaceAll(`${PLACE}${SHARED}#/$defs/`, PLACE),
  ) as Record<string, { $defs?: Record<string, JsonSchema> } & JsonSchema>;
  const all = { ...shared?.$defs, ...own };
  const named = Object.entries(all)
    .filter(([id]) => !byId.has(id) || nameOf(byId.get(id)) === id)
    .map(([id, schema]) => [id, strip(schema)] as const);
  return {
    named: Object.fromEntries(named),
    of(schema) {
      const id = ids.get(schema) ?? '';
      return nameOf(schema) === undefined ? strip(all[id] ?? {}) : { $ref: `${PLACE}${id}` };
    },
  };
}

/** The name that a schema was given by `.meta({ id })`. */
function nameOf(schema: z.ZodType | undefined): string | undefined {
  return schema && z.globalRegistry.get(schema)?.id;
}

/** A pattern says no more than the format, at ten times the length; that numbers are exact goes without saying. */
function simplify(schema: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  if (schema.format !== undefined) delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  nameProperties(schema);
  if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties;
}

/** A record whose keys are a closed list is an object of these properties, which more programs understand. */
function nameProperties(schema: z.core.JSONSchema.BaseSchema): void {
  const { propertyNames, additionalProperties } = schema;
  if (typeof propertyNames !== 'object' || typeof additionalProperties !== 'object') return;
  if (!propertyNames.enum) return;
  const names = propertyNames.enum.map((name) => [String(name), additionalProperties] as const);
  schema.properties = Object.fromEntries(names);
  delete schema.propertyNames;
  delete schema.additionalProperties;
}

function strip({ $schema: _schema, $id: _id, id: _name, ...rest }: JsonSchema): JsonSchema {
  return rest;
}
