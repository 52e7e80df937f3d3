/** A regular file: what a power cut leaves for certain, and what processes see. Bytes are held as Latin-1. */
export type FileNode = {
  readonly kind: 'file';
  readonly mode: number;
  durable: string;
  current: string;
};

/** A folder: likewise, and the changes between both, oldest first. */
export type FolderNode = {
  readonly kind: 'folder';
  readonly mode: number;
  readonly durable: Map<string, number>;
  readonly current: Map<string, number>;
  readonly pending: Change[];
};

/** Entries of one folder that change at once. */
export type Change = {
  /** Null: the name goes. */
  readonly entries: readonly (readonly [name: string, inode: number | null])[];
  /** What it is that changes, for naming the sync that makes it durable. */
  readonly what: string;
  /** A rename out of this folder: the name goes only once it is in the other one. */
  readonly after: { readonly folder: number; readonly change: Change } | null;
};

type Nodes = Map<number, FileNode | FolderNode>;

/** What survives of one unsynced thing: these changes of a folder, or this content of a file. */
type Choice =
  | { readonly folder: number; readonly kept: readonly Change[] }
  | { readonly file: number; readonly content: string };

export const ROOT = 1;
/** Of more changes than these not every subset is tried. */
const MOST_SUBSETS = 6;
/** Aside names of durable writes: nobody reads what a crash left under them. */
export const ASIDE = /\.\d+\.[0-9a-z]+\.tmp$/;

/**
 * Files and folders, and what of them would survive a power cut (the rule of ALICE, OSDI 2014): data of a file for
 * certain after a sync of the file, entries of a folder after a sync of the folder. Until then each may survive or not,
 * independently of each other: data in part, changes of one name in their order.
 */
export class SimDisk {
  readonly nodes: Nodes;
  #next: number;

  constructor(nodes: Nodes = new Map([[ROOT, newFolder(0o755)]]), next = ROOT + 1) {
    this.nodes = nodes;
    this.#next = next;
  }

  add(node: FileNode | FolderNode): number {
    const inode = this.#next++;
    this.nodes.set(inode, node);
    return inode;
  }

  find(path: string): number | undefined {
    let inode = ROOT;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const node = this.nodes.get(inode);
      const child = node?.kind === 'folder' ? node.current.get(name) : undefined;
      if (child === undefined) return undefined;
      inode = child;
    }
    return inode;
  }

  folder(inode: number): FolderNode {
    const node = this.nodes.get(inode);
    if (node?.kind !== 'folder') throw new Error(`${inode} is no folder.`);
    return node;
  }

  change(folder: number, entries: Change['entries'], what: string, after: Change['after']): Change {
    const change = { entries, what, after };
    const node = this.folder(folder);
    node.pending.push(change);
    apply(node.current, change);
    return change;
  }

  /** The first `count` pending changes of a folder become durable, and what they follow in another one. */
  settle(inode: number, count: number): void {
    const node = this.folder(inode);
    for (const change of node.pending.splice(0, count)) {
      if (change.after) {
        const { folder, change: first } = change.after;
        this.settle(folder, this.folder(folder).pending.indexOf(first) + 1);
      }
      apply(node.durable, change);
    }
  }

  /** Makes everything durable, as a disk at rest is. */
  settleAll(): void {
    for (const [inode, node] of this.nodes) {
      if (node.kind === 'file') node.durable = node.current;
      else this.settle(inode, node.pending.length);
    }
  }

  /** The same disk, unsynced parts included: what the next process finds when one is killed. */
  clone(): SimDisk {
    return new SimDisk(copyNodes(this.nodes), this.#next);
  }

  /**
   * The disks that a power cut may leave now, at most `limit` of them: the extremes first, then a sample. Everything on
   * them is durable.
   */
  afterPowerCut(limit: number): readonly SimDisk[] {
    const found = new Map<string, SimDisk>();
    for (const choices of combine(this.#options(), limit)) {
      const image = this.#imageOf(choices);
      if (image) found.set(image.key(), image);
    }
    return [...found.values()];
  }

  /** What processes see, as one text: equal for equal trees, names of one file told as such. */
  key(): string {
    const seen = new Map<number, number>();
    const lines: string[] = [];
    const walk = (inode: number, path: string): void => {
      const node = this.nodes.get(inode);
      if (!node) return;
      if (node.kind === 'file') {
        if (!seen.has(inode)) seen.set(inode, seen.size);
        lines.push(`${path} ${seen.get(inode)} ${node.mode} ${node.current}`);
        return;
      }
      lines.push(`${path}/`);
      for (const [name, child] of [...node.current].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (!ASIDE.test(name)) walk(child, `${path}/${name}`);
      }
    };
    walk(ROOT, '');
    return lines.join('\n');
  }

  #options(): readonly (readonly Choice[])[] {
    const options: Choice[][] = [];
    for (const inode of this.#reachable()) {
      const node = this.nodes.get(inode);
      if (node?.kind === 'folder' && node.pending.length > 0) {
        options.push(subsets(node.pending).map((kept) => ({ folder: inode, kept })));
      }
      if (node?.kind === 'file' && node.durable !== node.current) {
        const contents = new Set([node.durable, tear(node), node.current]);
        options.push([...contents].map((content) => ({ file: inode, content })));
      }
    }
    return options;
  }

  /** Everything that has a name now, or may have one after a power cut. */
  #reachable(): ReadonlySet<number> {
    const found = new Set<number>();
    const walk = (inode: number): void => {
      if (found.has(inode)) return;
      found.add(inode);
      const node = this.nodes.get(inode);
      if (node?.kind !== 'folder') return;
      const changed = node.pending.flatMap(({ entries }) => entries.map(([, child]) => child));
      for (const child of [...node.durable.values(), ...node.current.values(), ...changed]) {
        if (child !== null) walk(child);
      }
    };
    walk(ROOT);
    return found;
  }

  /** What is left when exactly this survives; undefined where that cannot be. */
  #imageOf(choices: readonly Choice[]): SimDisk | undefined {
    const changes = new Map<number, readonly Change[]>();
    const contents = new Map<number, string>();
    for (const choice of choices) {
      if ('folder' in choice) changes.set(choice.folder, choice.kept);
      else contents.set(choice.file, choice.content);
    }
    if (!this.#isPossible(changes)) return undefined;
    const nodes: Nodes = new Map();
    for (const inode of this.#reachable()) {
      const node = this.nodes.get(inode);
      if (!node) continue;
      if (node.kind === 'file') {
        const content = contents.get(inode) ?? node.current;
        nodes.set(inode, { ...node, durable: content, current: content });
      } else {
        nodes.set(inode, survive(node, changes.get(inode) ?? []));
      }
    }
    return new SimDisk(nodes, this.#next);
  }

  /** No name is gone from one folder that is not in the other one. */
  #isPossible(changes: ReadonlyMap<number, readonly Change[]>): boolean {
    return [...changes.values()].flat().every(({ after }) => {
      if (!after) return true;
      const isDurable = !this.folder(after.folder).pending.includes(after.change);
      return isDurable || changes.get(after.folder)?.includes(after.change) === true;
    });
  }
}

/** A folder with nothing in it. */
export function newFolder(mode: number): FolderNode {
  return { kind: 'folder', mode, durable: new Map(), current: new Map(), pending: [] };
}

function survive(node: FolderNode, kept: readonly Change[]): FolderNode {
  const entries = new Map(node.durable);
  for (const change of kept) apply(entries, change);
  return { ...node, durable: entries, current: new Map(entries), pending: [] };
}

/** Which of these changes may survive without the others, those of one name in their order. */
function subsets(changes: readonly Change[]): readonly (readonly Change[])[] {
  const all =
    changes.length <= MOST_SUBSETS
      ? Array.from({ length: 2 ** changes.length }, (_, bits) =>
          changes.filter((_change, index) => Math.floor(bits / 2 ** index) % 2 === 1),
        )
      : [
          ...changes.map((_, index) => changes.slice(0, index)),
          ...changes.map((_, index) => changes.toSpliced(index, 1)),
          changes,
        ];
  return all.filter((kept) => isInOrder(changes, kept));
}

function isInOrder(changes: readonly Change[], kept: readonly Change[]): boolean {
  const lost = new Set<string>();
  for (const change of changes) {
    const names = change.entries.map(([name]) => name);
    if (!kept.includes(change)) for (const name of names) lost.add(name);
    else if (names.some((name) => lost.has(name))) return false;
  }
  return true;
}

function apply(entries: Map<string, number>, change: Change): void {
  for (const [name, inode] of change.entries) {
    if (inode === null) entries.delete(name);
    else entries.set(name, inode);
  }
}

function copyNodes(nodes: Nodes): Nodes {
  return new Map(
    [...nodes].map(([inode, node]) => [
      inode,
      node.kind === 'file'
        ? { ...node }
        : {
            ...node,
            durable: new Map(node.durable),
            current: new Map(node.current),
            pending: [...node.pending],
          },
    ]),
  );
}

/** Half of what was written last. */
function tear({ durable, current }: FileNode): string {
  const kept = current.startsWith(durable) ? durable.length : 0;
  return current.slice(0, kept + Math.floor((current.length - kept) / 2));
}

/** All combinations where they are few; else the extremes, each thing lost or kept on its own, and a regular sample. */
function* combine(
  options: readonly (readonly Choice[])[],
  limit: number,
): Iterable<readonly Choice[]> {
  const count = options.reduce((product, { length }) => product * length, 1);
  const pick = (at: (index: number, length: number) => number) =>
    options.flatMap((choices, index) => choices[at(index, choices.length)] ?? []);
  /** The n-th of all combinations. */
  const nth = (n: number) => {
    let rest = n;
    return pick((_, length) => {
      const at = rest % length;
      rest = Math.floor(rest / length);
      return at;
    });
  };
  if (count <= limit) {
    for (let n = 0; n < count; n++) yield nth(n);
    return;
  }
  yield pick(() => 0);
  yield pick((_, length) => length - 1);
  for (const alone of options.keys()) {
    yield pick((index, length) => (index === alone ? 0 : length - 1));
    yield pick((index, length) => (index === alone ? length - 1 : 0));
  }
  const left = limit - 2 - 2 * options.length;
  for (let n = 1; n <= left; n++) yield nth(Math.floor((n * count) / (left + 1)));
}
