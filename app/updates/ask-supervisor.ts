import { randomUUID } from 'node:crypto';
import { fail, type Outcome } from '../../shared/contract/outcome.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import type {
  UpdateAnswer,
  UpdateCommand,
  UpdateRequest,
  UpdateTrigger,
} from '../../shared/contract/update-request.ts';
import { askByFile, asOutcome } from './ask-by-file.ts';
import type { SupervisorChannel } from './supervisor-channel.ts';

/** Asks the supervisor; a refusal of it is a failure like any other. */
export type AskSupervisor = (request: UpdateRequest) => Promise<Outcome<UpdateAnswer>>;

/** The part of the channel to the supervisor over which it is asked. */
export type AskingChannel = Pick<SupervisorChannel, 'send' | 'onUpdateAnswer'>;

/** It answers once the request is durable, within milliseconds; longer means that it hangs or is not there. */
export const ANSWER_LIMIT_MS = 10_000;

/** A request with an id of its own. */
export function newUpdateRequest(
  command: UpdateCommand,
  trigger: UpdateTrigger,
  over: Partial<UpdateRequest> = {},
): UpdateRequest {
  return {
    id: randomUUID(),
    command,
    trigger,
    by: null,
    reason: null,
    dryRun: false,
    tag: null,
    force: false,
    version: null,
    restoreDatabase: false,
    pid: null,
    at: Date.now(),
    ...over,
  };
}

/** How the worker asks: over its channel, or by file where it was started without one. */
export function createAskSupervisor(
  channel: AskingChannel | undefined,
  paths: StatePaths,
  waitMs = ANSWER_LIMIT_MS,
): AskSupervisor {
  return channel === undefined
    ? (request) => askByFile(paths, request, { waitMs })
    : (request) => askByChannel(channel, request, waitMs);
}

function askByChannel(
  channel: AskingChannel,
  request: UpdateRequest,
  waitMs: number,
): Promise<Outcome<UpdateAnswer>> {
  return new Promise((resolve) => {
    const end = (outcome: Outcome<UpdateAnswer>) => {
      clearTimeout(limit);
      stopListening();
      resolve(outcome);
    };
    const limit = setTimeout(
      () => end(fail('UPDATE_SUPERVISOR_UNREACHABLE', `It was silent for ${waitMs / 1000} s.`)),
      waitMs,
    );
    const stopListening = channel.onUpdateAnswer((answer) => {
      if (answer.id === request.id) end(asOutcome(answer));
    });
    channel.send({ kind: 'update-request', request });
  });
}
