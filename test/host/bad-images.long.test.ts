import { describe, test } from 'node:test';
import { HAS_QUADLET } from '../helpers/lab.ts';
import { tryBadImage } from './bad-image-case.ts';
import { BAD_IMAGES } from './bad-images.ts';

describe('an image that is bad in another way is taken back', { concurrency: 2 }, () => {
  // On Debian 12 the quick ones run for every change.
  for (const bad of BAD_IMAGES.filter(({ isQuick }) => HAS_QUADLET || !isQuick)) {
    test(`one that ${bad.what}`, (t) => tryBadImage(t, bad));
  }
});
