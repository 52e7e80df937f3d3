import { randomFillSync } from 'node:crypto';
import { formatIdentifier } from '../domain/identifier.ts';

const POOL_BYTES = 4096;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** A fresh identifier. Random bytes are drawn in bulk: one system call serves some 400 requests. */
export function newIdentifier(prefix: 'tsk' | 'dlv' | 'req' | 'pln' | 'bat'): string {
  if (used + 10 > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + 10);
  used += 10;
  return formatIdentifier(prefix, Date.now(), random);
}
