import type { IncomingMessage } from 'node:http';

const LOOPBACK = /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/;
const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
/** What a proxy adds. */
const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Whether somebody on this very host asks, by its own name: not through a proxy, and not a page whose name was made to mean
 * this host (DNS rebinding), which would ask under that name.
 */
export function isAskedHere({ socket, headers }: IncomingMessage): boolean {
  const ends = [socket.remoteAddress, socket.localAddress];
  if (!ends.every((address) => LOOPBACK.test(address ?? ''))) return false;
  return (
    LOCAL_HOST.test(headers.host ?? '') && FORWARDED.every((name) => headers[name] === undefined)
  );
}
