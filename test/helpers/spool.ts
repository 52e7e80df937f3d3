import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodeSpoolEntry,
  type IntakeRecord,
  type SpoolEntry,
} from '../../app/intake/spool-format.ts';

/** A delivery that asks for work, as `over` changes it. */
export function spoolEntry(
  over: Partial<IntakeRecord> = {},
  body: Buffer | string = '{}',
): SpoolEntry {
  const id = over.id ?? 'dlv_1';
  return {
    record: {
      v: 1,
      id,
      receivedAt: 1_000,
      source: 'github',
      path: '/github-package-update/web',
      unit: 'web.service',
      event: 'package',
      delivery: `guid of ${id}`,
      remoteAddress: '127.0.0.1',
      requestId: 'req_1',
      verdict: { verdict: 'accepted', matched: 'tag', image: 'ghcr.io/o/web:main' },
      ...over,
    },
    body: Buffer.from(body),
  };
}

/** The name of a segment that a process made which is long dead: no process has so high a number. */
export function deadSegmentName(time = 1): string {
  return segmentName(2 ** 30, time);
}

/** The name of a segment that the process of this number made. */
export function segmentName(pid: number, time = 1): string {
  return `${String(time).padStart(15, '0')}-${pid}-00000000.spool`;
}

/** Puts a segment into the spool as an earlier process left it. */
export function writeSegment(folder: string, name: string, entries: readonly SpoolEntry[]): void {
  writeFileSync(join(folder, name), Buffer.concat(entries.map(encodeSpoolEntry)));
}
