import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseJson } from '../../shared/contract/read-shape.ts';
import {
  parseUpdateRequest,
  type UpdateAnswer,
  type UpdateRequest,
} from '../../shared/contract/update-request.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import type { Files } from '../../shared/fs/files.ts';

/** Where requests come in and answers go out. */
export type InboxPaths = { readonly updateRequest: string; readonly updateAnswersDir: string };

/** Requests of whoever has no channel to the supervisor. */
export type RequestInbox = {
  /** Looks now; for what no event told. */
  look(): void;
  /** Answers a request that came in here, and takes it away. False for any other. */
  answer(answer: UpdateAnswer): boolean;
  /** Whether this process has asked for something lately. */
  hasAsked(pid: number): boolean;
  close(): void;
};

const MAX_REQUEST_BYTES = 16 * 1024;
/** A watch may miss something: on a network file system, or when the kernel's queue overflows. */
const SWEEP_EVERY_MS = 60_000;
const MAX_ANSWERS = 50;
const MAX_REMEMBERED = 20;

/**
 * Watches for `update-request.json` and hands each request over once. The file stays until the answer is written: one
 * that is cut off by a crash is found again at the next start, with the same id.
 */
export function openInbox(
  paths: InboxPaths,
  files: Files,
  onRequest: (request: UpdateRequest) => void,
  onBroken: () => void,
): RequestInbox {
  const taken = new Set<string>();
  const answered = new Set<string>();
  let askers: readonly number[] = [];

  const look = () => take(false);
  const take = (isSweep: boolean) => {
    const request = read(isSweep);
    if (!request || taken.has(request.id)) return;
    taken.add(request.id);
    if (request.pid !== null) askers = [...askers, request.pid].slice(-MAX_REMEMBERED);
    onRequest(request);
  };
  const read = (isSweep: boolean): UpdateRequest | undefined => {
    const content = readText(paths.updateRequest, files);
    if (content === undefined) return undefined;
    const request = parseUpdateRequest(parseJson(content));
    if (request) return request;
    // Somebody without our tools has just made it, and writes in a moment.
    if (content === '' && !isSweep) return undefined;
    remove(paths.updateRequest, files);
    onBroken();
    return undefined;
  };
  const watcher = startWatch(paths.updateRequest, look);
  const sweep = setInterval(() => take(true), SWEEP_EVERY_MS);
  return {
    look,
    answer(answer) {
      if (!taken.delete(answer.id)) return false;
      writeAnswer(paths, files, answer, answered);
      const content = readText(paths.updateRequest, files);
      const there = content && parseUpdateRequest(parseJson(content));
      // One that cannot be taken away must not be taken for another one.
      if (there && there.id === answer.id && !remove(paths.updateRequest, files)) {
        taken.add(answer.id);
      }
      // Others may wait for the place.
      setImmediate(look);
      return true;
    },
    hasAsked(pid) {
      // Written a moment before it ended, perhaps, and not told by the watch yet.
      look();
      return askers.includes(pid);
    },
    close() {
      clearInterval(sweep);
      watcher?.close();
    },
  };
}

/** Node's own watch: a library for it would cost the supervisor more memory than everything else that it loads. */
function startWatch(path: string, look: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_kind, name) => {
      if (name === null || name === basename(path)) look();
    });
    // Where no watch can be had (a limit of the kernel), the sweep is left.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** Undefined where there is none; what cannot be read is as good as broken. */
function readText(path: string, files: Files): string | undefined {
  try {
    const bytes = files.read(path, MAX_REQUEST_BYTES);
    return bytes && Buffer.from(bytes).toString('utf8');
  } catch (error) {
    return `${error}`;
  }
}

/** Whether it is gone. A disk that cannot be written, or a folder in its place, must not end the supervisor. */
function remove(path: string, files: Files): boolean {
  try {
    files.unlink(path);
    return true;
  } catch {
    return false;
  }
}

/** `answered` are those of this process, oldest first: whoever asked last may not have read his yet. */
function writeAnswer(
  { updateAnswersDir }: InboxPaths,
  files: Files,
  answer: UpdateAnswer,
  answered: Set<string>,
): void {
  const name = `${answer.id}.json`;
  try {
    makeDirectoryDurably(updateAnswersDir, 0o700, files);
    const others = files.list(updateAnswersDir).filter((other) => other !== name);
    const earlier = others.filter((other) => !answered.has(other));
    const inOrder = [...earlier, ...[...answered].filter((other) => others.includes(other))];
    for (const old of inOrder.slice(0, Math.max(inOrder.length - MAX_ANSWERS + 1, 0))) {
      files.unlink(`${updateAnswersDir}/${old}`);
    }
    writeFileDurably(`${updateAnswersDir}/${name}`, JSON.stringify(answer), 0o600, files);
  } catch {
    // Who waits for it is told by the limit of its waiting; what was asked is done all the same.
  }
  answered.delete(name);
  answered.add(name);
  for (const oldest of [...answered].slice(0, -MAX_ANSWERS)) answered.delete(oldest);
}
