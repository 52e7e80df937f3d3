import type { UpdateAnswer } from '../../shared/contract/update-request.ts';
import type { UpdateStatus } from '../../shared/contract/update-status.ts';
import {
  parseSupervisorMessage,
  type WorkerNotice,
} from '../../shared/contract/worker-messages.ts';

/** Whether tasks may begin, as the supervisor wants it. */
export type SupervisorCommand = 'pause' | 'proceed';

/** The worker's end of the channel to its supervisor. What it cannot read it passes over. */
export type SupervisorChannel = {
  /** Nothing where the supervisor is gone: that is learnt from `disconnect`. */
  send(notice: WorkerNotice): void;
  /** Also told the last command that came before anybody listened. Gives what ends the listening. */
  onCommand(listener: (command: SupervisorCommand) => void): () => void;
  /** Gives what ends the listening. */
  onUpdateAnswer(listener: (answer: UpdateAnswer) => void): () => void;
  /** Gives what ends the listening. */
  onUpdateStatus(listener: (status: UpdateStatus) => void): () => void;
  /** What the supervisor said of itself last. */
  latestStatus(): UpdateStatus | undefined;
};

/**
 * Opens the channel; undefined where this process was started without one. A command that comes early is kept for
 * whoever listens later; answers and states that nobody waits for are nobody's.
 */
export function openSupervisorChannel(): SupervisorChannel | undefined {
  if (process.send === undefined) return undefined;
  const commands = new Set<(command: SupervisorCommand) => void>();
  const answers = new Set<(answer: UpdateAnswer) => void>();
  const statuses = new Set<(status: UpdateStatus) => void>();
  let lastCommand: SupervisorCommand | undefined;
  let lastStatus: UpdateStatus | undefined;

  process.on('message', (raw) => {
    const message = parseSupervisorMessage(raw);
    switch (message?.kind) {
      case 'pause':
      case 'proceed':
        lastCommand = message.kind;
        return tell(commands, message.kind);
      case 'update-answer':
        return tell(answers, message.answer);
      case 'update-status':
        lastStatus = message.status;
        return tell(statuses, message.status);
      case undefined:
        return;
    }
  });

  return {
    send: (notice) => {
      // With a callback, for without one Node throws the failure of a channel that has just closed.
      if (process.connected) process.send?.(notice, undefined, undefined, () => undefined);
    },
    onCommand: (listener) => {
      if (lastCommand !== undefined) listener(lastCommand);
      return listen(commands, listener);
    },
    onUpdateAnswer: (listener) => listen(answers, listener),
    onUpdateStatus: (listener) => listen(statuses, listener),
    latestStatus: () => lastStatus,
  };
}

function tell<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
  for (const listener of listeners) listener(value);
}

function listen<T>(listeners: Set<(value: T) => void>, listener: (value: T) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
