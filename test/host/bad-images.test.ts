import { describe, test } from 'node:test';
import { tryBadImage } from './bad-image-case.ts';
import { BAD_IMAGES } from './bad-images.ts';

describe('an image that is bad is taken back', { concurrency: 2 }, () => {
  for (const bad of BAD_IMAGES.filter(({ isQuick }) => isQuick)) {
    test(`one that ${bad.what}`, (t) => tryBadImage(t, bad));
  }
});
