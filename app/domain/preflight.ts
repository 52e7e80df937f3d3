import { type Failure, fail } from '../../shared/contract/outcome.ts';

/** The oldest podman whose `--replace`, labels and JSON are those that are relied on here. */
const OLDEST_MAJOR = 4;
/** The image as it is packed and as it is unpacked. */
const TIMES_ITS_SIZE = 2;

/** What is known of podman and its storage. */
export type PodmanFacts = {
  /** As `podman --version` says it; empty where it did not. */
  readonly version: string;
  readonly graphRoot: string;
  /**
   * How it stores images; empty where it did not say, where it stores them in several places, and of another host: then a
   * deployment does not read them there.
   */
  readonly driver: string;
  /** Bytes; undefined where podman did not say. */
  readonly freeBytes: number | undefined;
};

/** What keeps this host from taking an image of about `sizeBytes` (0: not known), or null. */
export function findHostObstacle(facts: PodmanFacts, sizeBytes: number): Failure | null {
  const major = /^(\d+)\./.exec(facts.version)?.[1];
  if (major !== undefined && Number(major) < OLDEST_MAJOR) {
    return fail('PODMAN_TOO_OLD', `It is ${facts.version}.`).failure;
  }
  const needed = TIMES_ITS_SIZE * sizeBytes;
  if (facts.freeBytes !== undefined && facts.freeBytes < needed) {
    const detail = `${facts.graphRoot}: ${facts.freeBytes} bytes are free, ${needed} are needed.`;
    return fail('DISK_LOW', detail).failure;
  }
  return null;
}
