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
  let askers: readonly number[] = [];

  const look = () => {
    const request = read();
    if (!request || taken.has(request.id)) return;
    taken.add(request.id);
    if (request.pid !== null) askers = [...askers, request.pid].slice(-MAX_REMEMBERED);
    onRequest(request);
  };
  const read = (): UpdateRequest | undefined => {
    const content = readText(paths.updateRequest, files);
    if (content === undefined) return undefined;
    const request = parseUpdateRequest(parseJson(content));
    if (request) return request;
    files.unlink(paths.updateRequest);
    onBroken();
    return undefined;
  };
  const watcher = startWatch(paths.updateRequest, look);
  const sweep = setInterval(look, SWEEP_EVERY_MS);
  return {
    look,
    answer(answer) {
      if (!taken.delete(answer.id)) return false;
      writeAnswer(paths, files, answer);
      const content = readText(paths.updateRequest, files);
      const there = content === undefined ? undefined : parseUpdateRequest(parseJson(content));
      if (there?.id === answer.id) files.unlink(paths.updateRequest);
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

function readText(path: string, files: Files): string | undefined {
  try {
    const bytes = files.read(path, MAX_REQUEST_BYTES);
    return bytes && Buffer.from(bytes).toString('utf8');
  } catch {
    return '';
  }
}

function writeAnswer(paths: InboxPaths, files: Files, answer: UpdateAnswer): void {
  try {
    makeDirectoryDurably(paths.updateAnswersDir, 0o700, files);
    const old = files.list(paths.updateAnswersDir);
    for (const name of old.slice(0, Math.max(old.length - MAX_ANSWERS, 0))) {
      files.unlink(`${paths.updateAnswersDir}/${name}`);
    }
    writeFileDurably(
      `${paths.updateAnswersDir}/${answer.id}.json`,
      JSON.stringify(answer),
      0o600,
      files,
    );
  } catch {
    // Who waits for it is told by the limit of its waiting; what was asked is done all the same.
  }
}
