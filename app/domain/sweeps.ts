/** Sweeps one at a time. */
export type Sweeps = {
  /** Begins one, or has one more done behind the one that runs, however often it is asked for meanwhile. */
  look(): void;
  /** No further one; settles when none runs any more. */
  close(): Promise<void>;
  isClosed(): boolean;
};

/** Makes sweeps of that kind; one that fails is told of, and the next one is begun all the same. */
export function createSweeps(
  sweep: () => Promise<void>,
  onError: (error: unknown) => void,
): Sweeps {
  let running: Promise<void> | undefined;
  let isWanted = false;
  let isClosed = false;

  function look(): void {
    isWanted = true;
    if (running || isClosed) return;
    isWanted = false;
    running = sweep()
      .catch(onError)
      .finally(() => {
        running = undefined;
        if (isWanted) look();
      });
  }

  return {
    look,
    close: async () => {
      isClosed = true;
      await running;
    },
    isClosed: () => isClosed,
  };
}
