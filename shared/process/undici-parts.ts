import type { Dispatcher } from 'undici';
import requestBy from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import errors from 'undici/lib/core/errors.js';
import Agent from 'undici/lib/dispatcher/agent.js';

export type { Dispatcher };
/*
 * What is used of undici, without what an import of it evaluates as well (fetch, WebSocket, caches, mocks): some 15 ms of
 * each process that lives for a moment. Its package has no list of exports: a version that moves these files fails to load.
 */
export { Agent, buildConnector, errors };

/** Sends one request by a dispatcher; as undici's `request`, which without one would take a global one. */
export function request(
  url: string | URL,
  { dispatcher, ...options }: RequestOptions,
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(url);
  return requestBy.call(dispatcher, { ...options, origin, path: `${pathname}${search}` });
}

type RequestOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> & {
  readonly dispatcher: Dispatcher;
  readonly method: Dispatcher.HttpMethod;
};
