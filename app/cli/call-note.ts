import type { Command } from 'commander';
import type { Loaded } from '../../shared/config/load-settings.ts';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Outcome } from '../../shared/contract/outcome.ts';
import type { LocalService } from './service/question.ts';

/** What a command leaves for the event of its call, besides its words and its exit code. */
export type CallNote = {
  /** Like that of a request; without it the exit code decides. */
  status?: number;
  code?: ErrorCode;
  /** The task that was made or touched. */
  taskId?: string;
  meta?: Readonly<Record<string, unknown>>;
};

/** How a command that asks the service was called: with what settings, and where it notes what came of it. */
export type Calling = {
  readonly environment: NodeJS.ProcessEnv;
  readonly note: CallNote;
  /** Whether a program reads what is printed. */
  readonly isJson: () => boolean;
  /** What answers where no service runs: opened once, and closed when the command has ended. */
  readonly openLocal: (loaded: Loaded) => Promise<Outcome<LocalService>>;
};

/** Where commands belong, how they were called, and how they end. */
export type CommandParts = {
  readonly program: Command;
  readonly calling: Calling;
  readonly onEnd: (code: ExitCode) => void;
};
