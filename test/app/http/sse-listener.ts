import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { TestContext } from 'node:test';
import { until } from '../../helpers/until.ts';
import { defer, TOKEN } from './http-fixture.ts';

const LONG_MS = 20_000;

/** An event as it came. */
export type Heard = { readonly id?: string; readonly event?: string; readonly data?: string };

/** A client that listens. */
export class Listener {
  readonly response: IncomingMessage;
  text = '';
  isOver = false;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
    });
    response.on('close', () => {
      this.isOver = true;
    });
    response.on('error', () => {});
  }

  /** The whole events that came; comments are none. */
  events(): readonly Heard[] {
    const blocks = this.text.split('\n\n').slice(0, -1);
    return blocks
      .filter((block) => !block.startsWith(':'))
      .map((block) =>
        Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2))),
      );
  }

  /** Waits for so many events. */
  async hear(count: number): Promise<readonly Heard[]> {
    await until(`${count} events`, LONG_MS, () => this.events().length >= count);
    return this.events();
  }

  /** Waits for an event of that name. */
  async hearOf(event: string): Promise<Heard> {
    return until(event, LONG_MS, () => this.events().findLast((one) => one.event === event));
  }

  /** Waits for the end of the stream; all that came. */
  async hearOut(): Promise<readonly Heard[]> {
    await until('the end', LONG_MS, () => this.isOver);
    return this.events();
  }
}

/** Listens as an admin, or as `who` says; `after` is the id of the last event that was heard before. */
export async function listen(
  context: TestContext,
  port: number,
  path: string,
  after?: string,
  who: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` },
): Promise<Listener> {
  // So that a `close` in the answer is the server's own wish.
  const headers = {
    ...who,
    connection: 'keep-alive',
    ...(after !== undefined && { 'last-event-id': after }),
  };
  const sent = request({ host: '127.0.0.1', port, path, headers, agent: false });
  sent.on('error', () => {});
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  defer(context, () => response.destroy());
  return new Listener(response);
}
