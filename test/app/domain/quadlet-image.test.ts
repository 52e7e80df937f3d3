import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { replaceQuadletImage } from '../../../app/domain/quadlet-image.ts';

describe('the image in the text of a Quadlet file', () => {
  for (const [title, text, expected] of [
    ['is replaced', '[Container]\nImage=a:1\nExec=x\n', '[Container]\nImage=b:2\nExec=x\n'],
    [
      'is the last one of its section',
      '[Container]\nImage=a:1\n[Service]\nImage=c\n[Container]\n  Image = a:2\n',
      '[Container]\nImage=a:1\n[Service]\nImage=c\n[Container]\nImage=b:2\n',
    ],
    ['keeps the ends of lines', '[Container]\r\nImage=a:1\r\n', '[Container]\r\nImage=b:2\r\n'],
    ['is not in a comment', '[Container]\n#Image=a\nImage=a', '[Container]\n#Image=a\nImage=b:2'],
    ['is not there', '[Container]\nExec=x\n', undefined],
    ['is in another section', '[X-Container]\nImage=a\n', undefined],
    ['goes on in the next line', '[Container]\nImage=a\\\n:1\n', undefined],
    ['is the end of another line', '[Container]\nExec=x \\\nImage=a\n', undefined],
    ['is of no key of that name', '[Container]\nImageTag=a\n', undefined],
  ] as const) {
    test(title, () => assert.equal(replaceQuadletImage(text, 'b:2'), expected));
  }
});
