import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { writeFileDurably } from '../../shared/fs/durable-file.ts';
import { lockFileWithin } from '../../shared/fs/lock-file.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { type PodmanInfo, readPodmanInfo } from '../host/podman-info.ts';
import { describePodmanSetup } from '../host/podman-setup.ts';

/** What no look at files can tell is believed for so long at most. */
const FRESH_MS = 86_400_000;
/** Longer than podman is given to answer; who has waited in vain asks for itself. */
const WAIT_MS = 35_000;

type Kept = Omit<PodmanInfo, 'freeBytes'> & { readonly setup: string; readonly at: number };

/**
 * Makes the function that asks podman of this host for what it is and has, and keeps the answer in `folder` for the other
 * processes there, for up to a day and as long as podman is set up as it was: the question costs as much as a
 * deployment. They ask one at a time, and whoever has waited takes what the other was told. Free space is looked at anew
 * each time.
 */
export function sharePodmanInfo(
  folder: string,
  environment: NodeJS.ProcessEnv,
): (run: RunCommand) => Promise<Outcome<PodmanInfo>> {
  const path = join(folder, 'podman-info.json');
  return async (run) => {
    const setup = describePodmanSetup(environment);
    if (setup === undefined) return readPodmanInfo(run);
    const kept = read(path, setup);
    if (kept) return succeed(await withSpace(kept));
    const lock = await lockFileWithin(join(folder, 'podman-info.lock'), WAIT_MS);
    try {
      const others = read(path, setup);
      if (others) return succeed(await withSpace(others));
      const asked = await readPodmanInfo(run);
      if (asked.ok) keep(path, setup, asked.value);
      return asked;
    } finally {
      if (lock.ok) lock.value.release();
    }
  };
}

function read(path: string, setup: string): Kept | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const kept = parseJson(text) as Partial<Kept> | undefined;
  const ageMs = Date.now() - (kept?.at ?? 0);
  // A clock that was set back makes it older than it says.
  // An older version of this program has not kept everything.
  const isWhole = kept?.driver !== undefined;
  const isFresh = isWhole && kept?.setup === setup && ageMs >= 0 && ageMs < FRESH_MS;
  return isFresh ? (kept as Kept) : undefined;
}

/** Where it cannot be written the next one asks again. */
function keep(
  path: string,
  setup: string,
  { version, graphRoot, driver, registries }: PodmanInfo,
): void {
  const kept: Kept = { setup, at: Date.now(), version, graphRoot, driver, registries };
  try {
    writeFileDurably(path, JSON.stringify(kept));
  } catch {
    // A full disk is told of by what needs the room.
  }
}

/** As podman counts it: what is not used, with what only root may use. */
async function withSpace({ version, graphRoot, driver, registries }: Kept): Promise<PodmanInfo> {
  const space = await statfs(graphRoot).catch(() => undefined);
  return { version, graphRoot, driver, registries, freeBytes: space && space.bfree * space.bsize };
}
