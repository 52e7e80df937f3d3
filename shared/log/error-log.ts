/** Where failures are said by parts that may run in another thread; every logger is one. */
export type ErrorLog = { error(fields: object, text: string): void };
