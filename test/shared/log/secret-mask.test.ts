import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SecretMask } from '../../../shared/log/secret-mask.ts';

describe('secret mask', () => {
  test('hides what is configured and what becomes known', () => {
    const mask = new SecretMask(['hunter22']);
    assert.equal(mask.mask('hunter22 staple'), '[redacted] staple');
    mask.add('staple');
    mask.add('staple');
    assert.equal(mask.mask('hunter22 staple'), '[redacted] [redacted]');
  });

  test('forgets the oldest of too many, never what is configured', () => {
    const mask = new SecretMask(['hunter22']);
    for (let at = 0; at < 51; at++) mask.add(`secret-${at}-`);
    assert.equal(mask.mask('hunter22 secret-0- secret-50-'), '[redacted] secret-0- [redacted]');
    mask.add('secret-1-');
    mask.add('secret-60-');
    assert.equal(mask.mask('secret-1- secret-2-'), '[redacted] secret-2-');
  });
});
