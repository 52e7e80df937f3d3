import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { SUN_PATH_MAX_BYTES } from '../contract/socket-path.ts';

/** A path that fits into the address of a unix socket. */
export type SocketPath = {
  readonly path: string;
  /** To be called when the socket is bound or connected no more: until then a folder may be open. */
  release(): void;
};

/**
 * A path of a unix socket that the kernel takes: one of more than 107 bytes is reached through the descriptor of its folder.
 * @throws what the system says of a folder that cannot be opened.
 */
export function fitSocketPath(path: string): SocketPath {
  if (Buffer.byteLength(path) <= SUN_PATH_MAX_BYTES) return { path, release: () => {} };
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  let isOpen = true;
  return {
    path: `/proc/self/fd/${folder}/${basename(path)}`,
    release() {
      if (isOpen) closeSync(folder);
      isOpen = false;
    },
  };
}
