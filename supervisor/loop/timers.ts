/** Named clocks: setting one again replaces it. */
export type Timers<N extends string> = {
  set(name: N, afterMs: number): void;
  clear(name: N): void;
  clearAll(): void;
};

/** Makes clocks that tell `fire` by their name, each on its own. */
export function createTimers<N extends string>(fire: (name: N) => void): Timers<N> {
  const running = new Map<N, NodeJS.Timeout>();
  const clear = (name: N) => {
    clearTimeout(running.get(name));
    running.delete(name);
  };
  return {
    set(name, afterMs) {
      clear(name);
      running.set(
        name,
        setTimeout(() => {
          running.delete(name);
          fire(name);
        }, afterMs),
      );
    },
    clear,
    clearAll() {
      for (const name of running.keys()) clear(name);
    },
  };
}
