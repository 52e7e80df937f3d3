import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { Product } from '../helpers/product.ts';
import { makeHeaders, post } from '../helpers/webhook.ts';

type Samples = readonly { readonly name: string; readonly examples: readonly object[] }[];

const load = createRequire(import.meta.url);
const SETS = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'];

/** What each sample is to be answered with. All package samples are of npm packages. */
function expected(event: string): { status: number; verdict: string; reason: string | undefined } {
  if (event === 'ping') return { status: 200, verdict: 'ping', reason: undefined };
  const reason = event === 'package' ? 'package-type-not-container' : 'event-not-handled';
  return { status: 202, verdict: 'ignored', reason };
}

describe('the payload samples of GitHub', () => {
  let product: Product;
  before(async () => {
    product = await Product.start({ PODUP_MANUAL_UNITS: 'web' });
  });
  after(() => product[Symbol.asyncDispose]());

  for (const set of SETS) {
    test(`of ${set} are each answered as they deserve, and none breaks the server`, async () => {
      const samples = load(`@octokit/webhooks-examples/${set}/index.json`) as Samples;
      const { workerPid } = product;
      let count = 0;
      for (const { name, examples } of samples) {
        for (const example of examples) {
          const body = JSON.stringify(example);
          const url = `http://${product.address}/github-package-update/web`;
          const { status, answer } = await post(url, body, makeHeaders(name, body));
          const got = { status, verdict: answer['verdict'], reason: answer['reason'] };
          assert.deepEqual(got, expected(name), `${name}: ${body.slice(0, 200)}`);
          count++;
        }
      }
      assert.ok(count > 40, `${count} samples`);
      assert.equal(product.workerPid, workerPid);
      assert.deepEqual(await product.tasks(), []);
    });
  }
});
