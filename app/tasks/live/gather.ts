/** Calls that come in quick succession made into few. */
export type Gathered = {
  /** Something is to be done; at once, or when the pause since the last time is over. */
  ask(): void;
  close(): void;
};

/**
 * Gathers calls: `act` is called in the turn after the first one, then after a pause of `pauseMs()` milliseconds at the
 * earliest, once for all that came meanwhile.
 */
export function gather(act: () => void, pauseMs: () => number): Gathered {
  let timer: NodeJS.Timeout | undefined;
  let isWanted = false;
  let isClosed = false;
  const run = () => {
    isWanted = false;
    timer = setTimeout(() => {
      timer = undefined;
      if (isWanted) run();
    }, pauseMs());
    act();
  };
  return {
    ask() {
      isWanted = true;
      if (!timer && !isClosed) run();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** Does something in a turn of its own, where nobody would catch what it throws. */
export function attempt(act: () => void, onError: (error: unknown) => void): void {
  try {
    act();
  } catch (error) {
    onError(error);
  }
}
