/** Tells what is said each time from what is news. */
export type RareNews = {
  /** Whether to say it: it is another text than the last one, or that was said long ago. `nowMs` is of the steady clock. */
  isNews(text: string, nowMs: number): boolean;
  /** It is over: the same is news again. */
  forget(): void;
};

/** What stays as it is is said again every `everyMs` milliseconds. */
export function createRareNews(everyMs: number): RareNews {
  let last: { readonly text: string; readonly at: number } | undefined;
  return {
    isNews(text, nowMs) {
      if (last?.text === text && nowMs - last.at < everyMs) return false;
      last = { text, at: nowMs };
      return true;
    },
    forget() {
      last = undefined;
    },
  };
}
