import type { SupervisorChannel } from '../../../app/updates/supervisor-channel.ts';
import type { UpdateAnswer, UpdateRequest } from '../../../shared/contract/update-request.ts';
import type { UpdateStatus } from '../../../shared/contract/update-status.ts';

/** The worker's end of a channel, and the supervisor's behind it. */
export type FakeChannel = {
  readonly channel: SupervisorChannel;
  /** What was asked, in order. */
  readonly requests: readonly UpdateRequest[];
  /** Has the supervisor say how it stands. */
  say(status: UpdateStatus): void;
  /** How many listen to that. */
  listeners(): number;
};

/** A channel to a supervisor that answers at once. */
export function openFakeChannel(
  answer: (request: UpdateRequest) => Partial<UpdateAnswer> = () => ({}),
): FakeChannel {
  const requests: UpdateRequest[] = [];
  const answers = new Set<(answer: UpdateAnswer) => void>();
  const statuses = new Set<(status: UpdateStatus) => void>();
  let latest: UpdateStatus | undefined;
  const channel: SupervisorChannel = {
    send(notice) {
      if (notice.kind !== 'update-request') return;
      const { request } = notice;
      requests.push(request);
      const plain = { id: request.id, txn: null, failure: null, status: null };
      for (const listener of answers) listener({ ...plain, ...answer(request) });
    },
    onCommand: () => () => undefined,
    onUpdateAnswer: (listener) => listen(answers, listener),
    onUpdateStatus: (listener) => listen(statuses, listener),
    latestStatus: () => latest,
  };
  return {
    channel,
    requests,
    say(status) {
      latest = status;
      for (const listener of statuses) listener(status);
    },
    listeners: () => statuses.size,
  };
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
