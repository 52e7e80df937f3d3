import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readNextPage } from '../../../app/github/read-next-page.ts';

const ASKED = new URL('https://api.github.com/repos/o/r/hooks/1/deliveries?per_page=100');
const NEXT = 'https://api.github.com/repos/o/r/hooks/1/deliveries?per_page=100&cursor=v1_8';

test('the cursor of the next page is taken, whatever else the header says', () => {
  for (const link of [
    `<${NEXT}>; rel="next"`,
    `<${NEXT}>; rel=next`,
    `<https://api.github.com/a?cursor=x>; rel="prev", <${NEXT}>; rel="next"`,
    `<${NEXT}&redelivery=true>; rel="next", <https://x/>; rel="first"`,
  ]) {
    assert.equal(readNextPage(link, ASKED)?.href, NEXT, link);
  }
});

test('nothing leads to another origin or path, or back to the same page', () => {
  for (const link of [
    undefined,
    '',
    `<${NEXT}>; rel="prev"`,
    `<${NEXT.replace('api.github.com', 'evil.example')}>; rel="next"`,
    `<${NEXT.replace('https', 'http')}>; rel="next"`,
    `<${NEXT.replace('hooks/1', 'hooks/2')}>; rel="next"`,
    `<${NEXT.replace('cursor', 'page')}>; rel="next"`,
    `<${NEXT}>; rel="next"${' '.repeat(9_000)}`,
  ]) {
    assert.equal(readNextPage(link, ASKED), undefined, String(link));
  }
  assert.equal(readNextPage(`<${NEXT}>; rel="next"`, new URL(NEXT)), undefined);
});

test('any header gives a page of the same origin and path, or none', () => {
  fc.assert(
    fc.property(fc.string(), fc.webUrl({ withQueryParameters: true }), (junk, url) => {
      for (const link of [junk, `<${url}>; rel="next"`, `<${junk}>; rel="next"`]) {
        const page = readNextPage(link, ASKED);
        assert.ok(!page || (page.origin === ASKED.origin && page.pathname === ASKED.pathname));
      }
    }),
  );
});
