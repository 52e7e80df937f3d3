/**
 * node:http and node:https without what an import of them evaluates as well, the whole of Node's own undici: 20 to 40 ms of
 * each process that lives for a moment.
 */
export const { request } = process.getBuiltinModule('node:http');
/** The same over TLS. */
export const { request: requestTls } = process.getBuiltinModule('node:https');
