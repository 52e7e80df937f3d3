import { basename } from 'node:path';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { asObject, parseJson } from '../../shared/contract/read-shape.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import {
  parseUpdateAnswer,
  type UpdateAnswer,
  type UpdateRequest,
} from '../../shared/contract/update-request.ts';
import {
  createDurably,
  makeDirectoryDurably,
  removeDurably,
  renameDurably,
} from '../../shared/fs/durable-file.ts';
import { type Files, realFiles } from '../../shared/fs/files.ts';
import { lookUntil } from './look-until.ts';

/** How long to wait, and what else ends it: the request is then taken back. */
export type Waiting = {
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  readonly files?: Files;
};

const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Asks the supervisor by a file: whoever has no channel to it. There is room for one request, so each waits until the
 * one before was taken. Without an answer in time the request is taken back, so that it is not carried out when nobody
 * expects it any more.
 */
export async function askByFile(
  paths: StatePaths,
  request: UpdateRequest,
  waiting: Waiting,
): Promise<Outcome<UpdateAnswer>> {
  const files = waiting.files ?? realFiles;
  try {
    if (!files.facts(paths.dataDir)?.isDirectory) {
      return unreachable(`${paths.dataDir} does not exist, so none has run here.`);
    }
    makeDirectoryDurably(paths.updateAnswersDir, 0o700, files);
    return await exchange(paths, request, { ...waiting, files });
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return fail('STATE_DIR_UNUSABLE', `${path ?? paths.dataDir}: ${code}.`);
  }
}

async function exchange(
  paths: StatePaths,
  request: UpdateRequest,
  { files, ...waiting }: Waiting & { readonly files: Files },
): Promise<Outcome<UpdateAnswer>> {
  const content = `${JSON.stringify(request)}\n`;
  const seconds = waiting.waitMs / 1000;
  const limit = limitOf(waiting);
  if (!(await putRequest(paths, content, { limit, files }))) {
    return unreachable(`Another request has been waiting for it for ${seconds} s.`);
  }
  const place = { folder: paths.updateAnswersDir };
  const look = () => takeAnswer(paths, request.id, files);
  const answer = await lookUntil(place, limit, look);
  if (answer) return asOutcome(answer);
  const isBack = await takeBack(paths, request.id, files);
  // Where it was taken in the last moment, what comes of it is worth waiting for once more.
  const late = await lookUntil(place, isBack ? AbortSignal.timeout(0) : limitOf(waiting), look);
  if (late) return asOutcome(late);
  const silence = waiting.signal?.aborted
    ? 'It had not answered yet when nobody wanted to wait any longer'
    : `It was silent for ${seconds} s`;
  return unreachable(isBack ? `${silence}.` : `${silence}; it has the request and may act on it.`);
}

function limitOf({ waitMs, signal }: Waiting): AbortSignal {
  const limit = AbortSignal.timeout(waitMs);
  return signal ? AbortSignal.any([limit, signal]) : limit;
}

async function putRequest(
  { dataDir, updateRequest }: StatePaths,
  content: string,
  { limit, files }: { readonly limit: AbortSignal; readonly files: Files },
): Promise<boolean> {
  const place = { folder: dataDir, names: [basename(updateRequest)] };
  const isPut = await lookUntil(place, limit, () => {
    if (files.facts(updateRequest)) return undefined;
    try {
      createDurably(updateRequest, content, 0o600, files);
      return true;
    } catch (error) {
      // Another asker was faster.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
      throw error;
    }
  });
  return isPut ?? false;
}

/** The answer, once it is whole; then it is deleted, for nobody else wants it. */
function takeAnswer(
  { updateAnswersDir }: StatePaths,
  id: string,
  files: Files,
): UpdateAnswer | undefined {
  const path = `${updateAnswersDir}/${id}.json`;
  const answer = parseUpdateAnswer(readJson(path, MAX_ANSWER_BYTES, files));
  if (answer?.id !== id) return undefined;
  files.unlink(path);
  return answer;
}

/**
 * Takes the request with this id back; false where the supervisor has taken it. It is moved aside first: a file that
 * is removed while it is read must be either seen whole or not at all.
 */
async function takeBack(paths: StatePaths, id: string, files: Files): Promise<boolean> {
  const { updateRequest } = paths;
  if (readId(updateRequest, files) !== id) return false;
  const aside = `${updateRequest}.${id}.tmp`;
  try {
    renameDurably(updateRequest, aside, files);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const isOurs = readId(aside, files) === id;
  // Ours was taken after the look at it and another's came into its place: that one goes back into the line.
  if (!isOurs) {
    const content = Buffer.from(files.read(aside, MAX_REQUEST_BYTES) ?? []).toString();
    const limit = AbortSignal.timeout(5_000);
    await putRequest(paths, content, { limit, files });
  }
  removeDurably(aside, files);
  return isOurs;
}

function readId(path: string, files: Files): unknown {
  return asObject(readJson(path, MAX_REQUEST_BYTES, files))?.['id'];
}

function readJson(path: string, maxBytes: number, files: Files): unknown {
  const bytes = files.read(path, maxBytes);
  return bytes && parseJson(Buffer.from(bytes).toString());
}

/** What the supervisor said, with its refusal as a failure. */
export function asOutcome(answer: UpdateAnswer): Outcome<UpdateAnswer> {
  return answer.failure ? { ok: false, failure: answer.failure } : succeed(answer);
}

function unreachable(detail: string): Outcome<never> {
  return fail('UPDATE_SUPERVISOR_UNREACHABLE', detail);
}
