import type { ErrorCode } from '../../shared/contract/error-codes.ts';

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
export type Calling = { readonly environment: NodeJS.ProcessEnv; readonly note: CallNote };
