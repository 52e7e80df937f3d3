import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { OpenApi, Operation } from '../../../../app/api/openapi.ts';
import type { JsonSchema } from '../../../../app/api/openapi-schemas.ts';
import type { ServedForm } from '../../../../app/api/route-form.ts';

/** The OpenAPI document as a program reads it that knows nothing else. */
export type ApiDocument = {
  find(form: Pick<ServedForm, 'method' | 'url'>): Operation;
  /** Throws where a JSON answer is not what the document says of its status. */
  check(operation: Operation, status: number, type: string, value: unknown): void;
};

/** Reads it. */
export function readDocument(api: OpenApi): ApiDocument {
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'api:', components: api.components });
  return {
    find({ method, url }) {
      const path = url.replaceAll(/:(\w+)(?:\([^)]*\))?/g, '{$1}');
      const operation = api.paths[path]?.[method.toLowerCase()];
      assert.ok(operation, `${method} ${path} is not in the document`);
      return operation;
    },
    check(operation, status, type, value) {
      const response = operation.responses[status] ?? operation.responses['default'];
      assert.ok(
        response,
        `${operation.operationId} answers ${status}, which is not in the document`,
      );
      const schema = response.content?.[type]?.schema;
      assert.ok(schema, `${operation.operationId} answers ${type} with ${status}`);
      // What is sent as a file is text to the document.
      if (schema['type'] === 'string') return;
      const validate = ajv.compile(inDocument(schema));
      assert.ok(validate(value), `${operation.operationId}: ${ajv.errorsText(validate.errors)}`);
    },
  };
}

function inDocument(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api:#/components/'));
}
