import { basename, dirname } from 'node:path';
import type { BulkFiles } from '../../shared/fs/bulk-files.ts';
import type { FileFacts, Files } from '../../shared/fs/files.ts';
import { ASIDE, type Change, type FileNode, newFolder, ROOT, SimDisk } from './sim-disk.ts';
import { digestOf } from './sim-remember.ts';

/** The operations of our code on a simulated disk. Each step at which the power may go is told. */
export class SimFs implements Files {
  readonly disk: SimDisk;
  readonly #open = new Map<number, { readonly node: FileNode; readonly path: string }>();
  #nextFile = 3;
  /** Told after each step. */
  onStep: (() => void) | undefined;
  /** Syncs of this kind, as `onSync` names them, do nothing. */
  brokenSync: string | undefined;
  /** Told the kind of each sync: `data of NAME`, or `name of NAME` for an entry that came, changed or went. */
  onSync: ((kind: string) => void) | undefined;
  /** Syncs that this place in our code makes, as `onSyncAt` names it, do nothing. */
  brokenSite: string | undefined;
  /** Told where our code makes each sync: `FILE, FUNCTION: sync` or `: syncDirectory`. */
  onSyncAt: ((site: string) => void) | undefined;

  constructor(disk = new SimDisk()) {
    this.disk = disk;
  }

  readonly bulk: BulkFiles = {
    copy: async (from, to) => {
      const source = this.#file(from);
      const target = this.#find(to) ? this.#file(to) : this.#make(to, source.mode);
      target.current = source.current;
      this.onStep?.();
      this.#syncFile(target, to);
    },
    hash: async (path) => digestOf(this.#file(path).current),
  };

  create(path: string, mode: number): number {
    if (this.#find(path)) throw systemError('EEXIST', path);
    return this.#openFile(this.#make(path, mode), path);
  }

  openToAppend(path: string, mode: number): number {
    return this.#openFile(this.#find(path) ? this.#file(path) : this.#make(path, mode), path);
  }

  write(file: number, bytes: Uint8Array): void {
    this.#opened(file).node.current += Buffer.from(bytes).toString('latin1');
    this.onStep?.();
  }

  sync(file: number): void {
    const { node, path } = this.#opened(file);
    this.#syncFile(node, path);
  }

  close(file: number): void {
    this.#open.delete(file);
  }

  syncDirectory(path: string): void {
    const inode = this.#folderAt(path);
    const { pending } = this.disk.folder(inode);
    const last = pending.at(-1);
    // A sync of a folder in which nothing has changed does nothing either.
    if (!last) return;
    const kind = isCalledBy('settleFolders')
      ? 'names of a predecessor'
      : `name of ${roleOf(last.what)}`;
    if (this.#isBroken(kind, 'syncDirectory')) return;
    this.disk.settle(inode, pending.length);
    this.onStep?.();
  }

  rename(from: string, to: string): void {
    const inode = this.#find(from);
    if (!inode) throw systemError('ENOENT', from);
    // rename(2) of two names of one file does nothing.
    if (this.#find(to) === inode) return;
    const [source, target] = [this.#folderAt(dirname(from)), this.#folderAt(dirname(to))];
    const [gone, there] = [basename(from), basename(to)];
    if (source === target) {
      this.disk.change(
        source,
        [
          [there, inode],
          [gone, null],
        ],
        to,
        null,
      );
    } else {
      const change = this.disk.change(target, [[there, inode]], to, null);
      this.disk.change(source, [[gone, null]], `${from}, gone`, { folder: target, change });
    }
    this.onStep?.();
  }

  link(from: string, to: string): void {
    const inode = this.#find(from);
    if (!inode) throw systemError('ENOENT', from);
    if (this.#find(to)) throw systemError('EEXIST', to);
    this.disk.change(this.#folderAt(dirname(to)), [[basename(to), inode]], to, null);
    this.onStep?.();
  }

  unlink(path: string): void {
    if (!this.#find(path)) return;
    this.disk.change(
      this.#folderAt(dirname(path)),
      [[basename(path), null]],
      `${path}, gone`,
      null,
    );
    this.onStep?.();
  }

  makeDirectory(path: string, mode: number): void {
    if (this.#find(path)) throw systemError('EEXIST', path);
    const inode = this.disk.add(newFolder(mode));
    this.disk.change(this.#folderAt(dirname(path)), [[basename(path), inode]], path, null);
    this.onStep?.();
  }

  facts(path: string): FileFacts | undefined {
    const inode = this.#find(path);
    const node = inode && this.disk.nodes.get(inode);
    if (!node) return undefined;
    const isDirectory = node.kind === 'folder';
    return {
      bytes: node.kind === 'file' ? node.current.length : 0,
      device: 1,
      inode,
      isDirectory,
      isExecutable: !isDirectory && (node.mode & 0o111) !== 0,
    };
  }

  read(path: string, maxBytes: number): Uint8Array | undefined {
    const content = this.text(path);
    if (content === undefined) return undefined;
    if (content.length > maxBytes) throw systemError('EFBIG', path);
    return Buffer.from(content, 'latin1');
  }

  list(path: string): readonly string[] {
    const inode = this.#find(path);
    const node = inode && this.disk.nodes.get(inode);
    return node && node.kind === 'folder' ? [...node.current.keys()].sort() : [];
  }

  removeTree(path: string): void {
    for (const name of this.list(path)) this.removeTree(`${path}/${name}`);
    this.unlink(path);
  }

  /** What a process reads there now; undefined where there is no file. */
  text(path: string): string | undefined {
    const inode = this.#find(path);
    const node = inode && this.disk.nodes.get(inode);
    return node && node.kind === 'file' ? node.current : undefined;
  }

  /**
   * Gives a file this content, durably and in one step: for programs other than ours, whose order is not in question.
   * The name of a new file becomes durable without what else has changed in its folder.
   */
  put(path: string, content: string, mode = 0o600): void {
    if (!this.#find(path)) {
      const inode = this.disk.add({ kind: 'file', mode, durable: content, current: content });
      const at = this.#folderAt(dirname(path));
      const folder = this.disk.folder(at);
      const name = basename(path);
      const isAbout = ({ entries }: Change) => entries.some(([changed]) => changed === name);
      this.disk.settle(at, folder.pending.findLastIndex(isAbout) + 1);
      folder.current.set(name, inode);
      folder.durable.set(name, inode);
    }
    const node = this.#file(path);
    node.current = content;
    node.durable = content;
    this.onStep?.();
  }

  #syncFile(node: FileNode, path: string): void {
    const kind = `${isCalledBy('makeDurable') ? 'found data' : 'data'} of ${roleOf(path)}`;
    if (this.#isBroken(kind, 'sync')) return;
    node.durable = node.current;
    this.onStep?.();
  }

  #isBroken(kind: string, call: string): boolean {
    this.onSync?.(kind);
    const site = `${callSite()}: ${call}`;
    this.onSyncAt?.(site);
    return kind === this.brokenSync || site === this.brokenSite;
  }

  #make(path: string, mode: number): FileNode {
    const node: FileNode = { kind: 'file', mode, durable: '', current: '' };
    const folder = this.#folderAt(dirname(path));
    this.disk.change(folder, [[basename(path), this.disk.add(node)]], path, null);
    this.onStep?.();
    return node;
  }

  #openFile(node: FileNode, path: string): number {
    const file = this.#nextFile++;
    this.#open.set(file, { node, path });
    return file;
  }

  #opened(file: number): { readonly node: FileNode; readonly path: string } {
    const opened = this.#open.get(file);
    if (!opened) throw systemError('EBADF', String(file));
    return opened;
  }

  #file(path: string): FileNode {
    const node = this.disk.nodes.get(this.#find(path) ?? 0);
    if (node?.kind !== 'file') throw systemError('ENOENT', path);
    return node;
  }

  #folderAt(path: string): number {
    const inode = path === '/' ? ROOT : this.#find(path);
    if (!inode) throw systemError('ENOENT', path);
    return inode;
  }

  #find(path: string): number | undefined {
    return this.disk.find(path);
  }
}

/** Tells syncs of one file apart that are made for different reasons. */
function isCalledBy(name: string): boolean {
  return new Error().stack?.includes(` ${name} `) === true;
}

/** The innermost place outside the tests that is being carried out: `FILE, FUNCTION`. */
function callSite(): string {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  for (const frame of frames) {
    const [, caller = '', path = ''] =
      /at (?:async )?(\S+) \(.*?((?:app|shared|supervisor)\/\S+\.ts):/.exec(frame) ?? [];
    if (path !== '' && !frame.includes('/test/')) return `${path}, ${caller}`;
  }
  return 'a simulated program';
}

/** What a file is for, whatever update, moment and process it belongs to. */
function roleOf(path: string): string {
  const [name = '', gone] = path.split(', ');
  if (gone && /\.tmp$/.test(name)) return 'leftovers';
  return `${name.replace(ASIDE, '')}${gone ? ', gone' : ''}`
    .replace(/\.tmp\b/, '')
    .replace(/upd_[0-9a-z]+/g, 'TXN')
    .replace(/self-update-[0-9]+/, 'self-update-AT');
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
