import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import type { TestContext } from 'node:test';
import { parseJson } from '../../../shared/contract/read-shape.ts';
import type { StatePaths } from '../../../shared/contract/state-paths.ts';
import {
  parseUpdateRequest,
  type UpdateAnswer,
  type UpdateRequest,
} from '../../../shared/contract/update-request.ts';

/** What a supervisor says to a request; undefined: it takes it and is silent. */
export type Answering = (request: UpdateRequest) => Partial<UpdateAnswer> | undefined;

/** Something that takes requests from the state directory and answers them, as a supervisor does. */
export type FakeSupervisor = {
  /** What was asked, in order. */
  readonly requests: readonly UpdateRequest[];
  /** What lay there and was no request. */
  readonly broken: readonly string[];
};

/** Answers requests until the test ends. */
export function startFakeSupervisor(
  context: Pick<TestContext, 'after'>,
  paths: StatePaths,
  answer: Answering = () => ({}),
): FakeSupervisor {
  const requests: UpdateRequest[] = [];
  const broken: string[] = [];
  const take = () => {
    if (!existsSync(paths.updateRequest)) return;
    const taken = `${paths.updateRequest}.taken`;
    renameSync(paths.updateRequest, taken);
    const content = readFileSync(taken, 'utf8');
    rmSync(taken);
    const request = parseUpdateRequest(parseJson(content));
    if (!request) {
      broken.push(content);
      return;
    }
    requests.push(request);
    const said = answer(request);
    if (said)
      writeAnswer(paths, { id: request.id, txn: null, failure: null, status: null, ...said });
  };
  mkdirSync(paths.dataDir, { recursive: true });
  const watcher = watch(paths.dataDir, take);
  context.after(() => watcher.close());
  take();
  return { requests, broken };
}

/** Writes an answer as a supervisor does: whole or not at all. */
export function writeAnswer(paths: StatePaths, answer: UpdateAnswer): void {
  const path = `${paths.updateAnswersDir}/${answer.id}.json`;
  mkdirSync(paths.updateAnswersDir, { recursive: true });
  writeFileSync(`${path}.tmp`, JSON.stringify(answer));
  renameSync(`${path}.tmp`, path);
}
