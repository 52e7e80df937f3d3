import { parseImageReference, repositoryOf } from './image-reference.ts';

/** A unit that podman's own timer (podman-auto-update(1)) is to leave alone. */
export type Guarded = {
  readonly unit: string;
  /** The name with a tag under which it runs its image. */
  readonly image: string;
  /** The file that systemd's generators have made the unit from (`SourcePath`); empty where it is its own file. */
  readonly sourcePath: string;
};

/** What is to lie where: the text of each file, and which of them keeps the timer off which unit. */
export type Guards = {
  readonly files: ReadonlyMap<string, string>;
  readonly ofUnit: ReadonlyMap<string, string>;
};

/** Where podman and the service manager read what the user, or the system, has set. */
export type GuardFolders = {
  /** `~/.config/systemd/user` or `/etc/systemd/system`. */
  readonly units: string;
  /** `~/.config/containers` or `/etc/containers`. */
  readonly containers: string;
};

const NAME = '50-podup-quarantine.conf';
const HEAD =
  '# Written by pod-upgrade-trigger while an image is in quarantine, and removed afterwards.\n';

/**
 * How podman's own timer is kept off units. Of a Quadlet unit (podman 5.0 and later read drop-ins of them) the label is
 * taken away by which the timer knows it. Of any other the repository is blocked for the service of the timer alone
 * (containers-registries.conf(5), `blocked`): podman looks only at the repository, so its other tags are left alone, too.
 * `registriesConf` is the configuration that the manager's environment names; undefined: podman's own order.
 */
export function planGuards(
  units: readonly Guarded[],
  podmanMajor: number,
  folders: GuardFolders,
  registriesConf?: string,
): Guards {
  const files = new Map<string, string>();
  const ofUnit = new Map<string, string>();
  const blocked = new Set<string>();
  const [list, dropIn] = serviceFiles(folders);
  for (const { unit, image, sourcePath } of units) {
    if (podmanMajor >= 5 && /^\/.*\.container$/.test(sourcePath)) {
      const file = `${sourcePath}.d/${NAME}`;
      files.set(file, `${HEAD}[Container]\nAutoUpdate=\n`);
      ofUnit.set(unit, file);
      continue;
    }
    const reference = parseImageReference(image);
    if (!reference) continue;
    blocked.add(repositoryOf(reference));
    ofUnit.set(unit, list);
  }
  if (blocked.size > 0) {
    files.set(list, HEAD + [...blocked].sort().map(formatBlock).join(''));
    files.set(dropIn, HEAD + formatService(list, registriesConf ?? ''));
  }
  return { files, ofUnit };
}

/** The two files that concern the service of the timer: the list of repositories, and what makes the service read it. */
export function serviceFiles({ units, containers }: GuardFolders): readonly [string, string] {
  return [`${containers}/podup-quarantine.conf`, `${units}/podman-auto-update.service.d/${NAME}`];
}

function formatBlock(repository: string): string {
  return `\n[[registry]]\nprefix = "${repository}"\nlocation = "${repository}"\nblocked = true\n`;
}

/** The configuration is put together at each run, so that what the user changes in theirs goes on to count. */
function formatService(list: string, registriesConf: string): string {
  const join = [
    `f="${registriesConf}"; [ -n "$$f" ] || f="%E/containers/registries.conf"`,
    '[ -e "$$f" ] || f=/etc/containers/registries.conf',
    `{ cat "$$f" 2>/dev/null; echo; cat "${list}"; } > "%t/podup-registries.conf"`,
  ].join('; ');
  return `[Service]\nExecStartPre=/bin/sh -c '${join}'\nEnvironment=CONTAINERS_REGISTRIES_CONF=%t/podup-registries.conf\n`;
}

/** A path that may stand in a unit file and in the quotes of its shell line as it is. */
export function isPlainPath(path: string): boolean {
  return /^\/[A-Za-z0-9_./ -]+$/.test(path);
}
