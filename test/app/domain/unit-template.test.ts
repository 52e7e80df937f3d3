import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  compareInstances,
  familyPattern,
  parseInstance,
} from '../../../app/domain/unit-template.ts';

describe('an instance of a template', () => {
  test('is told from other units', () => {
    assert.deepEqual(parseInstance('app@1.service'), { template: 'app@.service', instance: '1' });
    assert.deepEqual(parseInstance('a@b.c@d.service'), {
      template: 'a@.service',
      instance: 'b.c@d',
    });
    for (const unit of ['app.service', 'app@.service', '@1.service', 'app@1']) {
      assert.equal(parseInstance(unit), undefined, unit);
    }
  });

  test('belongs to its template only', () => {
    assert.equal(familyPattern('app@1.service'), 'app@*.service');
    assert.equal(familyPattern('app.service'), 'app.service');
  });

  test('comes in the order of its number', () => {
    const units = ['app@10.service', 'app@b.service', 'app@2.service', 'app@a.service'];
    const sorted = ['app@2.service', 'app@10.service', 'app@a.service', 'app@b.service'];
    assert.deepEqual(units.sort(compareInstances), sorted);
  });
});
