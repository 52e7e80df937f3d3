import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { viewSettings } from '../../../app/info/view-settings.ts';
import { loadSettings } from '../../../shared/config/load-settings.ts';
import { fail } from '../../../shared/contract/outcome.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

describe('the settings as they are shown', () => {
  test('name every value and where it is from, and of a secret that there is one', async (t) => {
    const folder = makeTempFolder(t);
    const file = join(folder, 'token');
    writeFileSync(file, 'zgeheim-token\n');
    const result = loadSettings({
      PODUP_STATE_DIR: folder,
      PODUP_TOKEN_FILE: file,
      GITHUB_WEBHOOK_SECRET: 'zgeheim-hook',
      PODUP_MANUAL_UNITS: 'web',
    });
    assert.ok(result.ok);
    const view = await viewSettings({
      ...result.loaded,
      known: [
        { unit: 'web.service', isListed: true, marks: null, image: null },
        {
          ...{ unit: 'db.service', isListed: false, image: null },
          marks: { isAutoUpdated: true, hasPolicy: false, webhookEnabled: null },
        },
      ],
      checkDatabase: () => fail('DATABASE_UNAVAILABLE', 'gone'),
    });
    const of = (variable: string) => view.settings.find((one) => one.variable === variable);
    assert.deepEqual(of('PODUP_TOKEN'), {
      ...{ variable: 'PODUP_TOKEN', value: null, configured: true, secret: true },
      from: 'PODUP_TOKEN_FILE',
    });
    assert.equal(of('PODUP_GH_WEBHOOK_SECRET')?.from, 'GITHUB_WEBHOOK_SECRET');
    assert.deepEqual(of('PODUP_TASK_CONCURRENCY'), {
      ...{ variable: 'PODUP_TASK_CONCURRENCY', value: '2', configured: false, secret: false },
      from: null,
    });
    assert.doesNotMatch(JSON.stringify(view), /zgeheim/);
    assert.deepEqual(view.systemd, {
      manual_units: ['web.service'],
      discovered_units: { count: 1, units: ['db.service'] },
    });
    assert.equal(view.database.error, 'DATABASE_UNAVAILABLE');
    assert.equal(view.resources.state_dir.is_dir, true);
    assert.equal(view.resources.debug_payload.exists, false);
    assert.match(view.warnings.join(), /GITHUB_WEBHOOK_SECRET is deprecated/);
  });
});
