import assert from 'node:assert/strict';
import {
  isDigest,
  isTag,
  parseImageReference,
  repositoryOf,
} from '../../app/domain/image-reference.ts';
import type { HeaderLookup, HookReading, Push, Source } from '../../app/domain/sources/source.ts';
import { UNREADABLE_REASONS } from '../../app/domain/sources/unreadable-reasons.ts';
import { sha256 } from '../helpers/hook-samples.ts';

/** A delivery that was verified and parsed, whatever it says. */
export type Delivery = {
  readonly headers: HeaderLookup;
  readonly payload: unknown;
  readonly registry: string | undefined;
};

/** Of the processor, whatever else the machine does: so slow that a sender could hold up everybody else. */
const MAX_CPU_MS = 2_000;
const DIGEST = sha256('');

/** Holds a source to what it promises of any delivery: total, bounded, the same each time. */
export function checkSource(source: Source, { headers, payload, registry }: Delivery): void {
  const options = registry === undefined ? {} : { registry };
  const began = process.threadCpuUsage();
  const reading = source.read(headers, payload, options);
  const event = source.readEvent(headers, payload);
  const delivery = source.readDeliveryId(headers, payload, DIGEST);
  const { user } = process.threadCpuUsage(began);
  assert.ok(user < MAX_CPU_MS * 1_000, `took ${user} µs`);
  assertName(event);
  if (delivery !== undefined) {
    assertName(delivery);
    assert.notEqual(delivery, '');
  }
  assertReading(reading);
  assert.deepEqual(source.read(headers, payload, options), reading);
}

function assertName(name: string): void {
  assert.equal(typeof name, 'string');
  assert.ok(name.length <= 200, `${name.length} characters`);
  assert.doesNotMatch(name, /\p{Cc}/u);
}

function assertReading(reading: HookReading): void {
  switch (reading.kind) {
    case 'ping':
      break;
    case 'success-without-image':
      assertName(reading.action);
      break;
    case 'ignored':
      assert.ok(Object.hasOwn(UNREADABLE_REASONS, reading.reason), reading.reason);
      assert.ok(reading.detail.length <= 700, `${reading.detail.length} characters`);
      assert.doesNotMatch(reading.detail, /\p{Cc}/u);
      break;
    case 'push':
      assertName(reading.action);
      assert.ok(reading.pushes.length >= 1 && reading.pushes.length <= 100);
      for (const push of reading.pushes) assertPush(push);
      assert.equal(new Set(reading.pushes.map(keyOf)).size, reading.pushes.length);
      break;
  }
}

function keyOf({ image, digest }: Push): string {
  return `${repositoryOf(image)}@${digest}`;
}

function assertPush({ image, tags, digest }: Push): void {
  assert.ok(tags.length <= 100);
  assert.equal(new Set(tags).size, tags.length);
  assert.ok(tags.every(isTag), tags.join());
  assert.ok(digest === undefined || isDigest(digest));
  assert.deepEqual(parseImageReference(repositoryOf(image)), image);
}
