import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { locateJson } from '../../../../app/domain/sources/locate-json.ts';

const JSON_BODY = '{"a":"b c+d"}';
const FORM_BODY = `payload=${encodeURIComponent(JSON_BODY)}`;
const FORM = 'application/x-www-form-urlencoded';

describe('locateJson', () => {
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset=UTF-8',
    'application/vnd.docker.distribution.events.v2+json',
    'application/cloudevents+json; charset=UTF-8',
  ])
    test(`${type} is the JSON itself`, () =>
      assert.deepEqual(locateJson({}, type, JSON_BODY), { json: JSON_BODY, signed: JSON_BODY }));

  for (const type of [
    undefined,
    '',
    'text/plain',
    'application/jsonp',
    'application/x+json/y',
    'application/xml',
    'xapplication/json',
  ])
    test(`${type} is none`, () =>
      assert.equal(locateJson({ form: 'body' }, type, '{}'), undefined));

  test('a form is one only where the source has forms', () =>
    assert.equal(locateJson({}, FORM, FORM_BODY), undefined));

  test('a form is signed as a whole', () =>
    assert.deepEqual(locateJson({ form: 'body' }, `${FORM}; charset=utf-8`, FORM_BODY), {
      json: JSON_BODY,
      signed: FORM_BODY,
    }));

  test('or its JSON is', () =>
    assert.deepEqual(locateJson({ form: 'payload' }, FORM, FORM_BODY), {
      json: JSON_BODY,
      signed: JSON_BODY,
    }));

  test('of several fields the first counts', () =>
    assert.equal(locateJson({ form: 'body' }, FORM, 'x=1&payload=a+b&payload=c')?.json, 'a b'));

  test('a form without the field is none', () =>
    assert.equal(locateJson({ form: 'body' }, FORM, JSON_BODY), undefined));
});
