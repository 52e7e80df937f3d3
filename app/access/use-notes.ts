/** A use that is to be written down. */
export type Use = { readonly id: string; readonly at: number; readonly from: string | null };

/** Notes when something was used, without a write for each use. */
export type UseNotes = {
  /** `known` is what is written of it; a use within a minute of that is not written. */
  note(use: Use, known: number): void;
  /** The last use, written or not. */
  lastOf(id: string): Use | undefined;
  /** Writes what waits. */
  flush(): void;
  close(): void;
};

const WRITTEN_EVERY_MS = 60_000;
/** What is used in this time is written together, and no request waits for it. */
const GATHERED_MS = 2_000;
const MAX_KNOWN = 5_000;

/** `write` is called with those that are new; when it throws, they are lost: it was only a note. */
export function createUseNotes(
  write: (uses: readonly Use[]) => void,
  onError: (error: unknown) => void,
): UseNotes {
  const last = new Map<string, Use>();
  const written = new Map<string, number>();
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const uses = [...waiting].flatMap((id) => last.get(id) ?? []);
    waiting.clear();
    if (uses.length === 0) return;
    for (const { id, at } of uses) written.set(id, at);
    try {
      write(uses);
    } catch (error) {
      onError(error);
    }
  };
  return {
    note(use, known) {
      if (last.size >= MAX_KNOWN && !last.has(use.id)) {
        flush();
        last.clear();
        written.clear();
      }
      last.set(use.id, use);
      if (use.at - Math.max(written.get(use.id) ?? 0, known) < WRITTEN_EVERY_MS) return;
      waiting.add(use.id);
      timer ??= setTimeout(flush, GATHERED_MS).unref();
    },
    lastOf: (id) => last.get(id),
    flush,
    close: flush,
  };
}
