import type { EventWriter, PendingEvent } from './event-writer.ts';

/**
 * Lets through what is worth an event: not each try of somebody who is told to come later. Of the actions in `excluded` only what fails is recorded, and of a health check,
 * which a monitor repeats every second, each change of its answer: that it fails, how, and that it is well again.
 */
export function filterEvents(
  events: Pick<EventWriter, 'record'>,
  excluded: readonly string[],
): Pick<EventWriter, 'record'> {
  /** The last answer of each path; there are as many as there are routes. */
  const answers = new Map<string, string>();
  return {
    record(event) {
      // Anybody can have as many of them as he likes: that it began is an event, and how many there were is counted.
      if (event.code === 'CREDENTIALS_LIMITED') return;
      if (!excluded.includes(event.action)) return events.record(event);
      if (event.action !== 'health' || event.method !== 'GET') {
        if (event.status >= 400) events.record(event);
        return;
      }
      const answer = describeAnswer(event);
      const isNews = answer !== (answers.get(event.path) ?? WELL);
      answers.set(event.path, answer);
      if (isNews) events.record(event);
    },
  };
}

const WELL = '';

/** What is wrong; nothing while all is well. */
function describeAnswer({ status, meta }: PendingEvent): string {
  return status < 400 ? WELL : `${status} ${meta ?? ''}`;
}
