import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as z from 'zod';
import { deploymentBody } from '../../../app/api/deployment-requests.ts';
import { describeQueryFault } from '../../../app/api/queries.ts';

function faultOf(schema: z.ZodType, raw: unknown): string {
  const read = schema.safeParse(raw);
  assert.ok(!read.success);
  return describeQueryFault(read.error);
}

describe('the fault of a request', () => {
  test('of several shapes is told of the one that was nearly met, and names the field', () => {
    assert.match(faultOf(deploymentBody, { unit: 'web', dry_run: 'yes' }), /^dry_run: /);
    assert.match(faultOf(deploymentBody, { plan_id: 'x' }), /^plan_id: /);
    assert.match(faultOf(deploymentBody, { unit: 'web', zz: 1 }), /zz/);
  });

  test('names a field that is nested, and an own word of the schema stays', () => {
    const schema = z.strictObject({
      a: z.array(z.union([z.strictObject({ b: z.int() }), z.strictObject({ c: z.int() })])),
      t: z.union([z.iso.date(), z.iso.datetime()], { error: 'expected a time' }).optional(),
    });
    assert.match(faultOf(schema, { a: [{ b: 'x' }] }), /^a\.0\.b: /);
    assert.equal(faultOf(schema, { a: [], t: 'x' }), 't: expected a time.');
  });
});
