import { describe, test } from 'node:test';
import { runCommand } from '../../shared/process/run-command.ts';
import { tryBadImage } from '../host/bad-image-case.ts';
import { BAD_IMAGES } from '../host/bad-images.ts';
import { onHost } from '../host/host-fixture.ts';

describe('of the system, each image that is bad is taken back', { concurrency: 2 }, () => {
  for (const bad of BAD_IMAGES) {
    // In the lab the journal knows the units by root's user manager only.
    const run = bad.what.startsWith('logs') ? runCommand : onHost;
    test(`one that ${bad.what}`, (t) => tryBadImage(t, bad, run));
  }
});
