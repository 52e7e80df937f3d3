import type { Logger } from 'pino';
import { createRareNews } from '../domain/rare-news.ts';

/** Tells of a failure that may come every two seconds, as while the disk is full. */
export type RareTeller = {
  /** Once, again where it is another one, and every ten minutes. */
  tell(error: unknown): void;
  /** It went well: the same one is told of again. */
  forget(): void;
};

const TOLD_EVERY_MS = 600_000;

/** `what` says what has failed. */
export function tellRarely(log: Pick<Logger, 'error'>, what: string): RareTeller {
  const news = createRareNews(TOLD_EVERY_MS);
  return {
    tell(error) {
      if (news.isNews(String(error), performance.now())) log.error({ err: error }, what);
    },
    forget: news.forget,
  };
}
