import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { maskVariables } from '../../../app/domain/mask-variables.ts';

describe('mask variables', () => {
  for (const [text, masked] of [
    ['podman run -e PASSWORD=hunter2 image', 'podman run -e PASSWORD=[masked] image'],
    ['podman run --env=TOKEN=abc image', 'podman run --env=TOKEN=[masked] image'],
    ['podman run --env TOKEN="a b c" image', 'podman run --env TOKEN=[masked] image'],
    [`podman run -e 'KEY=a' image`, `podman run -e 'KEY=[masked]' image`],
    ['podman run -ePW=x -dite PW=y', 'podman run -ePW=[masked] -dite PW=[masked]'],
    ['--env spring.datasource.password=x', '--env spring.datasource.password=[masked]'],
    ['-e A=1 -e B=2', '-e A=[masked] -e B=[masked]'],
    ['podman run --env-file=/etc/web.env image', 'podman run --env-file=/etc/web.env image'],
    ['podman run -p 80:80 image', 'podman run -p 80:80 image'],
    ['NAME=value without an option', 'NAME=value without an option'],
  ] as const) {
    test(`${text} becomes ${masked}`, () => assert.equal(maskVariables(text), masked));
  }
});
