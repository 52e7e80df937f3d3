import { readFileSync, readlinkSync } from 'node:fs';
import type { HttpAddress } from '../../shared/contract/http-address.ts';

/**
 * Where a listening TCP socket of this process is reached, for one that somebody else has bound: Node has no
 * getsockname(2) for a bare descriptor, but the kernel lists it (proc_net_tcp). Undefined where it is not found there:
 * one that is only bound is not listed.
 */
export function localAddress(fd: number): HttpAddress | undefined {
  try {
    return listeningAddress(readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    return undefined;
  }
}

/** The address of a socket of this host by what its descriptor links to in /proc. */
export function listeningAddress(link: string): HttpAddress | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
  if (inode === undefined) return undefined;
  return find('/proc/self/net/tcp', inode) ?? find('/proc/self/net/tcp6', inode);
}

function find(table: string, inode: string): HttpAddress | undefined {
  for (const line of readFileSync(table, 'utf8').split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[9] !== inode) continue;
    const [address = '', port = ''] = (fields[1] ?? '').split(':');
    return { host: readAddress(address), port: Number.parseInt(port, 16) };
  }
  return undefined;
}

/** Words of 32 bits, each printed as this (little-endian) machine holds it. */
function readAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let at = 0; at < bytes.length; at += 2) {
    groups.push((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
  }
  const text = groups.join(':');
  return text === '0:0:0:0:0:0:0:0' ? '::' : text.replace(/^0:0:0:0:0:0:0:/, '::');
}
