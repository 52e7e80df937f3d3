import { type Failure, fail } from '../../shared/contract/outcome.ts';

/** What the system refused to write, as a failure. */
export function systemFailure(error: unknown): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  return fail('UPDATE_RECORD_UNWRITABLE', `${code ?? ''} ${message ?? error}`.trim().slice(0, 500))
    .failure;
}
