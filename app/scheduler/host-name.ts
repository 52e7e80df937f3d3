import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Tells this machine from others, and stays the same: its machine id, where it has none its name. */
export function hostName(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim() || hostname();
  } catch {
    return hostname();
  }
}
