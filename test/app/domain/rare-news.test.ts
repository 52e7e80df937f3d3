import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRareNews } from '../../../app/domain/rare-news.ts';

test('the same is news once, when it has changed, when it was over, and after a while', () => {
  const news = createRareNews(1_000);
  const rows = [
    ['full', 0, true],
    ['full', 1, false],
    ['full', 999, false],
    ['full', 1_000, true],
    ['full', 1_999, false],
    ['read-only', 1_999, true],
    ['full', 2_000, true],
  ] as const;
  for (const [text, at, expected] of rows) {
    assert.equal(news.isNews(text, at), expected, `${text} at ${at}`);
  }
  news.forget();
  assert.equal(news.isNews('full', 2_001), true);
});
