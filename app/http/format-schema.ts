import type { JsonSchema } from '../api/openapi-schemas.ts';
import { escapeHtml } from './escape-html.ts';

const PLACE = '#/components/schemas/';
const INDENT = '  ';

/** A JSON Schema for people, as HTML: the shape of a value, with links to the schemas that it names. */
export function formatSchema(schema: JsonSchema, indent = ''): string {
  const { $ref, anyOf, oneOf, enum: words, const: constant, type } = schema as Known;
  if ($ref !== undefined) {
    const name = escapeHtml($ref.slice(PLACE.length));
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const shapes = anyOf ?? oneOf;
  if (shapes) return shapes.map((shape) => formatSchema(shape, indent)).join(' | ');
  if (words) return words.map((word) => escapeHtml(JSON.stringify(word))).join(' | ');
  if (constant !== undefined) return escapeHtml(JSON.stringify(constant));
  if (type === 'object') return formatObject(schema as Known, indent);
  if (type === 'array') return `[${formatSchema((schema as Known).items ?? {}, indent)}, …]`;
  return formatSimple(schema as Known);
}

type Known = {
  readonly $ref?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly description?: string;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly default?: unknown;
} & Readonly<Record<(typeof LIMITS)[number], number | undefined>>;

const LIMITS = ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'] as const;

function formatObject(schema: Known, indent: string): string {
  const { properties = {}, required = [], additionalProperties: others } = schema;
  const inner = `${indent}${INDENT}`;
  const lines = Object.entries(properties).map(([name, property]) => {
    const { description } = property as Known;
    const sign = required.includes(name) ? '' : '?';
    const about = description === undefined ? '' : `  <small>${escapeHtml(description)}</small>`;
    return `${inner}${escapeHtml(name)}${sign}: ${formatSchema(property, inner)}${about}\n`;
  });
  if (typeof others === 'object') lines.push(`${inner}[name]: ${formatSchema(others, inner)}\n`);
  return lines.length === 0 ? '{}' : `{\n${lines.join('')}${indent}}`;
}

function formatSimple(schema: Known): string {
  const { type, format, pattern } = schema;
  const limits = LIMITS.filter((name) => schema[name] !== undefined).map(
    (name) => `${name} ${schema[name]}`,
  );
  const more = [
    ...(format === undefined ? [] : [format]),
    ...(pattern === undefined ? [] : [pattern]),
    ...limits,
    ...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
  ];
  const name = type === undefined ? 'anything' : [type].flat().join(' | ');
  return escapeHtml(more.length === 0 ? name : `${name} (${more.join(', ')})`);
}
