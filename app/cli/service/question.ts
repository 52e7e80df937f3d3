import type { Readable } from 'node:stream';

/** What the service is asked: with a body it is a POST, without one a GET, unless it says otherwise. */
export type Question = {
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What came of it; `body` has to be read or destroyed. */
export type Reply = { readonly status: number; readonly body: Readable };

/** The routes of the service over the state itself, where no service runs. */
export type LocalService = {
  ask(question: Question): Promise<Reply>;
  close(): Promise<void>;
};

/** The method of a question. */
export function methodOf({ method, body }: Question): NonNullable<Question['method']> {
  return method ?? (body === undefined ? 'GET' : 'POST');
}
