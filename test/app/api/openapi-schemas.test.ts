import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as z from 'zod';
import { toJsonSchemas } from '../../../app/api/openapi-schemas.ts';

describe('JSON schemas', () => {
  test('with a name are written once and referred to, however deep they stand', () => {
    const part = z.strictObject({ n: z.int() }).meta({ id: 'TestPart' });
    const whole = z.strictObject({ part: part.nullable() }).meta({ id: 'TestWhole' });
    const list = z.array(whole);
    const { named, of } = toJsonSchemas([whole, list], 'output');
    assert.deepEqual(of(whole), { $ref: '#/components/schemas/TestWhole' });
    assert.deepEqual(of(list), {
      type: 'array',
      items: { $ref: '#/components/schemas/TestWhole' },
    });
    assert.deepEqual(named, {
      TestWhole: {
        type: 'object',
        properties: {
          part: { anyOf: [{ $ref: '#/components/schemas/TestPart' }, { type: 'null' }] },
        },
        required: ['part'],
      },
      TestPart: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    });
  });

  test('of what is sent refuse unknown fields and know their defaults; of an answer they do not', () => {
    const schema = z.strictObject({ a: z.boolean().default(false) });
    assert.deepEqual(toJsonSchemas([schema], 'input').of(schema), {
      type: 'object',
      properties: { a: { type: 'boolean', default: false } },
      additionalProperties: false,
    });
    assert.equal(toJsonSchemas([schema], 'output').of(schema)['additionalProperties'], undefined);
  });

  test('of a record with a closed list of keys name its properties', () => {
    const schema = z.record(z.enum(['a', 'b']), z.boolean());
    assert.deepEqual(toJsonSchemas([schema], 'output').of(schema), {
      type: 'object',
      properties: { a: { type: 'boolean' }, b: { type: 'boolean' } },
      required: ['a', 'b'],
    });
  });

  test('of one name are of one shape', () => {
    const one = z.strictObject({ a: z.int() }).meta({ id: 'TestTwice' });
    const other = z.strictObject({ b: z.int() }).meta({ id: 'TestTwice' });
    assert.throws(() => toJsonSchemas([one, other], 'output'), /TestTwice/);
  });
});
