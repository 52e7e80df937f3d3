import type { Failure } from '../../shared/contract/outcome.ts';

/** When what begins by itself may begin. */
export type Beginning = {
  /** Once, as soon as all is well; may be called as often as something has changed. */
  begin(): void;
  /** The supervisor lets the worker go on: this version is proven, or an update is over. It begins anew. */
  prove(): void;
};

/**
 * Lets what begins by itself begin: once the database is well, for it begins with what that says of its last time, and no
 * sooner than the version is proven.
 */
export function createBeginning(
  databaseFailure: () => Failure | undefined,
  isTrial: boolean,
  start: () => void,
): Beginning {
  let isProven = !isTrial;
  let hasBegun = false;
  const begin = () => {
    if (!isProven || hasBegun || databaseFailure()) return;
    hasBegun = true;
    start();
  };
  return {
    begin,
    prove() {
      isProven = true;
      hasBegun = false;
      begin();
    },
  };
}
