import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { splitWords } from '../domain/split-words.ts';
import { askPodman, parsePodmanJson, podmanPath } from './podman.ts';
import { explainManager } from './systemctl.ts';

const TIMEOUT_MS = 10_000;
const LABEL = 'PODMAN_SYSTEMD_UNIT';

/** A container that says which unit has made it. */
export type UnitLabel = {
  readonly unit: string;
  /** The name of its image. */
  readonly image: string;
  /** It carries `io.containers.autoupdate=registry`. */
  readonly isAutoUpdated: boolean;
};

/**
 * The containers, running or not, that carry the label of a unit. It is a claim and no more: an image may bring labels of
 * its own along.
 */
export async function listUnitLabels(run: RunCommand): Promise<Outcome<readonly UnitLabel[]>> {
  const args = ['ps', '--all', '--no-trunc', '--format', 'json', '--filter', `label=${LABEL}`];
  const path = podmanPath(['containers', 'json'], {
    all: 'true',
    filters: JSON.stringify({ label: [LABEL] }),
  });
  // Labels may say anything.
  const called = await askPodman(run, { args, request: { method: 'GET', path }, isPrivate: true });
  if (!called.ok) return called;
  const listed = parsePodmanJson(called.value.stdout);
  if (!listed.ok) return listed;
  const containers = (listed.value ?? []) as readonly {
    readonly Image: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
  }[];
  return succeed(
    containers.map(({ Image: image, Labels: labels }) => ({
      unit: labels?.[LABEL] ?? '',
      image,
      isAutoUpdated: /^(?:registry|image)$/.test(labels?.['io.containers.autoupdate'] ?? ''),
    })),
  );
}

/** The folders from which the service manager reads units, the one that wins first. */
export async function readUnitFolders(run: RunCommand): Promise<Outcome<readonly string[]>> {
  const result = await run({
    argv: ['systemctl', '--user', 'show', '--property=UnitPath'],
    timeoutMs: TIMEOUT_MS,
  });
  if (!isSuccess(result)) return explainManager(result);
  const folders = splitWords(/^UnitPath=(.*)$/m.exec(result.stdout)?.[1] ?? '');
  if (folders && folders.length > 0) return succeed(folders);
  return fail('USER_MANAGER_UNAVAILABLE', 'systemctl printed no folders of units.');
}
