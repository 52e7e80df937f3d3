import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, post } from '../helpers/webhook.ts';

describe('a full disk under the spool', () => {
  test('refuses what cannot be made durable, loses nothing, and recovers by itself', async () => {
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', 8081);
    const stateDir = '/tmp/state';
    command('mkdir', '-p', `${stateDir}/intake`);
    command('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', `${stateDir}/intake`);
    await using product = await Product.start({
      PODUP_MANUAL_UNITS: 'web',
      PODUP_STATE_DIR: stateDir,
    });
    const filler = join(stateDir, 'intake', 'filler');
    writeFileSync(filler, Buffer.alloc(48 * 1024));
    const push = pushImage('web:stable', 'v2');
    const body = makeBody('registry_package', push);
    const url = `http://${product.address}/github-package-update/web`;
    const headers = makeHeaders('registry_package', body);

    const refused = await post(url, body, headers);
    assert.deepEqual([refused.status, refused.answer['code']], [507, 'SPOOL_DISK_FULL']);
    assert.ok(refused.answer['hint']);
    assert.deepEqual(await product.tasks(), []);
    for (const name of readdirSync(`${stateDir}/intake`).filter((name) => name !== 'filler')) {
      assert.equal(
        statSync(join(stateDir, 'intake', name)).size,
        0,
        'nothing half written is left',
      );
    }

    rmSync(filler);
    const again = await post(url, body, headers);
    assert.deepEqual([again.status, again.answer['verdict']], [202, 'accepted']);
    await until('v2', PATIENCE_MS, async () => (await served(8081)) === 'v2');
    assert.equal((await product.ended()).status, 'succeeded');
    assert.equal((await product.tasks()).length, 1);
  });
});
