import { describe, test } from 'node:test';
import { tryBadImage } from '../host/bad-image-case.ts';
import { BAD_IMAGES } from '../host/bad-images.ts';

describe('of the system, an image that is bad is taken back', () => {
  for (const bad of BAD_IMAGES.filter(({ what }) => /exits at once|probe with 500/.test(what))) {
    test(`one that ${bad.what}`, (t) => tryBadImage(t, bad));
  }
});
