import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { locateJson } from '../../../../app/domain/sources/locate-json.ts';

const JSON_BODY = '{"a":"b c+d é"}';
const FORM_BODY = `payload=${encodeURIComponent(JSON_BODY)}`;
const FORM = 'application/x-www-form-urlencoded';

function locate(form: 'body' | 'payload' | undefined, type: string | undefined, body: string) {
  const source = form === undefined ? {} : { form };
  const { json, signed } = locateJson(source, type, Buffer.from(body));
  return { json: json.toString(), signed: signed.toString() };
}

describe('locateJson', () => {
  for (const type of [
    undefined,
    '',
    'application/json; charset=utf-8',
    'application/vnd.docker.distribution.events.v2+json',
    'text/plain',
    `x${FORM}`,
    `${FORM}2`,
  ])
    test(`a body of the type ${type} is the JSON itself`, () =>
      assert.deepEqual(locate('body', type, FORM_BODY), { json: FORM_BODY, signed: FORM_BODY }));

  test('bytes that are no text stay as they are', () => {
    const body = Buffer.from([0xff, 0xfe, 0x7b]);
    assert.equal(locateJson({ form: 'body' }, 'application/json', body).signed, body);
  });

  test('a form is one only where the source has forms', () =>
    assert.deepEqual(locate(undefined, FORM, FORM_BODY), { json: FORM_BODY, signed: FORM_BODY }));

  test('a form is signed as a whole', () =>
    assert.deepEqual(locate('body', `${FORM}; charset=utf-8`, FORM_BODY), {
      json: JSON_BODY,
      signed: FORM_BODY,
    }));

  test('or its JSON is', () =>
    assert.deepEqual(locate('payload', FORM, FORM_BODY), { json: JSON_BODY, signed: JSON_BODY }));

  test('of several fields the first counts', () =>
    assert.equal(locate('body', FORM, 'x=1&payload=a+b&payload=c').json, 'a b'));

  test('what is not ASCII is taken as UTF-8, with escapes and without', () =>
    assert.equal(locate('body', FORM, 'x=é&payload={"é":"%C3%A9"}&payload=2').json, '{"é":"é"}'));

  test('a name that ends in that of the field is another one', () =>
    assert.equal(locate('body', FORM, 'xpayload=1&payload').json, ''));

  for (const part of ['a&', 'payload&', 'a=b&', '&', '%26'])
    test(`a megabyte of ${part} costs less than a moment, for nobody has proven anything yet`, () => {
      const body = part.repeat(1_048_576 / part.length);
      const begun = performance.now();
      assert.equal(locate('payload', FORM, body).json, '');
      assert.ok(performance.now() - begun < 500, `${performance.now() - begun} ms`);
    });

  test('a form without the field has none', () =>
    assert.equal(locate('body', FORM, JSON_BODY).json, ''));
});
