import type { AuthEnvironment } from './auth-environment.ts';

/** A file below the folders of units. */
export type UnitFile = {
  /** Where it was found; symbolic links are not followed in it. */
  readonly path: string;
  /** The file that this leads to. */
  readonly target: string;
  /** Null where it cannot be read; `fault` says why. */
  readonly text: string | null;
  readonly fault: string | null;
};

/** Whose units are meant. */
export type UnitScope = { readonly isSystem: boolean; readonly environment: AuthEnvironment };

const ADMIN = '/etc/containers/systemd';
const DISTRIBUTION = '/usr/share/containers/systemd';

/**
 * The folders that Quadlet's generator reads with all that lies below them, the one that wins first (podman-systemd.unit(5),
 * as of podman 6; earlier ones read fewer). `extra` is read before them.
 */
export function quadletFolders(
  { isSystem, environment }: UnitScope,
  extra: string | undefined,
): readonly string[] {
  const own = extra === undefined ? [] : [extra];
  if (isSystem) return [...own, '/run/containers/systemd', ADMIN, DISTRIBUTION];
  const { XDG_RUNTIME_DIR: runtime, uid } = environment;
  const config = configHome(environment);
  const places = [ADMIN, DISTRIBUTION].flatMap((folder) => [
    `${folder}/users`,
    `${folder}/users/${uid}`,
  ]);
  return [
    ...own,
    ...(runtime ? [`${runtime}/containers/systemd`] : []),
    ...(config === undefined ? [] : [`${config}/containers/systemd`]),
    ...places,
  ];
}

function configHome({ XDG_CONFIG_HOME: config, HOME: home }: AuthEnvironment): string | undefined {
  if (config) return config;
  return home ? `${home}/.config` : undefined;
}

/** Whether the generator reads a file for this scope: what lies in `users` is read for users, and for one of them by number. */
export function isReadFor({ isSystem, environment }: UnitScope, path: string): boolean {
  for (const folder of [ADMIN, DISTRIBUTION]) {
    if (!path.startsWith(`${folder}/users/`)) continue;
    if (isSystem) return false;
    const [first = ''] = path.slice(`${folder}/users/`.length).split('/');
    return !/^\d+$/.test(first) || first === String(environment.uid);
  }
  return true;
}

/** The name of a file without its folders. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The folder of a file. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Whether a file is one that adds to others, by the folder that it lies in. */
function isDropIn(path: string): boolean {
  return folderOf(path).endsWith('.d');
}

/**
 * The names of the folders whose files add to a unit or Quadlet file, the most specific first: `web-1.container.d`,
 * `web-.container.d`, `container.d`, and for an instance those of its template.
 */
function dropInFolders(name: string): readonly string[] {
  const dot = name.lastIndexOf('.');
  const [stem, ending] = [name.slice(0, dot), name.slice(dot)];
  const at = stem.indexOf('@');
  const prefix = at < 0 ? stem : stem.slice(0, at);
  const parts = prefix.split('-');
  const truncated = parts.slice(0, -1).map((_, index) => `${parts.slice(0, index + 1).join('-')}-`);
  const isInstance = at >= 0 && at < stem.length - 1;
  return [
    `${name}.d`,
    ...(isInstance ? [`${prefix}@${ending}.d`] : []),
    ...truncated
      .reverse()
      .flatMap((start) => [...(at < 0 ? [] : [`${start}@${ending}.d`]), `${start}${ending}.d`]),
    `${ending.slice(1)}.d`,
  ];
}

/** Files of several folders, the one that wins first, as the units that they make up. */
export class UnitFiles {
  readonly #byName = new Map<string, UnitFile>();
  readonly #dropIns: ReadonlyMap<string, readonly UnitFile[]>;

  constructor(files: readonly UnitFile[]) {
    for (const file of files) {
      const name = baseName(file.path);
      if (!isDropIn(file.path) && !this.#byName.has(name)) this.#byName.set(name, file);
    }
    const added = files.filter(({ path }) => isDropIn(path) && path.endsWith('.conf'));
    this.#dropIns = Map.groupBy(added, ({ path }) => baseName(folderOf(path)));
  }

  /** The files with one of the endings; of several of one name that which wins. */
  list(...endings: readonly string[]): readonly UnitFile[] {
    return [...this.#byName.values()].filter(({ path }) =>
      endings.some((ending) => path.endsWith(ending)),
    );
  }

  find(name: string): UnitFile | undefined {
    return this.#byName.get(name);
  }

  /** The texts of a file and of what adds to it, in the order in which they count; what cannot be read is left out. */
  textsOf(file: UnitFile): readonly string[] {
    const chosen = new Map<string, UnitFile>();
    for (const folder of dropInFolders(baseName(file.path))) {
      for (const added of this.#dropIns.get(folder) ?? []) {
        const name = baseName(added.path);
        if (!chosen.has(name)) chosen.set(name, added);
      }
    }
    const names = [...chosen.keys()].sort();
    return [file, ...names.map((name) => chosen.get(name))].flatMap((one) => one?.text ?? []);
  }
}
