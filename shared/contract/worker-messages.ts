import { asObject, nullable, oneOf, shape, text, whole } from './read-shape.ts';
import { digestText } from './release.ts';
import {
  parseUpdateAnswer,
  parseUpdateRequest,
  type UpdateAnswer,
  type UpdateRequest,
} from './update-request.ts';
import { parseUpdateStatus, type UpdateStatus } from './update-status.ts';

/**
 * What the worker tells its supervisor over the IPC channel. Readiness is spoken by the worker; its death is learnt
 * from the kernel.
 */
export type WorkerNotice =
  | {
      readonly kind: 'worker-ready';
      /** Version of the program that the worker runs. */
      readonly version: string;
      /** `user_version` of the database after migration. */
      readonly schema: number;
      /** SHA-256 of its program file; null outside a trial, for nobody asks then. */
      readonly digest: string | null;
    }
  /** It is not ready yet but gets on; at least every ten seconds while it migrates. */
  | { readonly kind: 'worker-starting'; readonly step: 'migrating' | 'recovering' }
  /** Paused as asked: no task runs and none begins. */
  | { readonly kind: 'worker-idle' }
  | { readonly kind: 'update-request'; readonly request: UpdateRequest };

const readyShape = shape({
  version: text(100),
  schema: whole(),
  digest: nullable(digestText),
});
const startingShape = shape({ step: oneOf(['migrating', 'recovering']) });

/** Reads a message of the worker; undefined for anything that is not exactly a known notice. */
export function parseWorkerNotice(raw: unknown): WorkerNotice | undefined {
  const object = asObject(raw);
  switch (object?.['kind']) {
    case 'worker-ready': {
      // Programs before the first update do not name their digest.
      const ready = readyShape({ digest: null, ...object });
      return ready && { kind: 'worker-ready', ...ready };
    }
    case 'worker-starting': {
      const starting = startingShape(raw);
      return starting && { kind: 'worker-starting', ...starting };
    }
    case 'worker-idle':
      return { kind: 'worker-idle' };
    case 'update-request': {
      const request = parseUpdateRequest(object['request']);
      return request && { kind: 'update-request', request };
    }
    default:
      return undefined;
  }
}

/** What the supervisor tells its worker over the same channel. A worker that does not know one passes over it. */
export type SupervisorMessage =
  /** Let running tasks end, begin none, say `worker-idle`; webhooks are accepted all the while. */
  | { readonly kind: 'pause' }
  /** Go on as usual: a trial is over, or an update was given up. */
  | { readonly kind: 'proceed' }
  | { readonly kind: 'update-answer'; readonly answer: UpdateAnswer }
  | { readonly kind: 'update-status'; readonly status: UpdateStatus };

/** Reads a message of the supervisor; undefined for anything that is not exactly a known one. */
export function parseSupervisorMessage(raw: unknown): SupervisorMessage | undefined {
  const object = asObject(raw);
  switch (object?.['kind']) {
    case 'pause':
    case 'proceed':
      return { kind: object['kind'] };
    case 'update-answer': {
      const answer = parseUpdateAnswer(object['answer']);
      return answer && { kind: 'update-answer', answer };
    }
    case 'update-status': {
      const status = parseUpdateStatus(object['status']);
      return status && { kind: 'update-status', status };
    }
    default:
      return undefined;
  }
}
