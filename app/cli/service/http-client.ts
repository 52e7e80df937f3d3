/** node:http without what an import of it evaluates as well, the whole of undici: 20 ms of each command. */
export const { request } = process.getBuiltinModule('node:http');
