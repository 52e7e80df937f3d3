import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import type * as Koffi from 'koffi';
import { fail, type Outcome, succeed } from '../contract/outcome.ts';
import { SUN_PATH_MAX_BYTES } from '../contract/socket-path.ts';

/** The few system calls that Node lacks. What the system refuses is thrown as Node throws it, with `code`. */
export type SystemCalls = {
  /** Whether a descriptor is closed by execve(2): `process.execve` keeps none but 0 to 2 by itself. */
  setCloseOnExec(fd: number, on: boolean): void;
  /** Gives what `from` stands for the number `to` as well, in place of what had it (dup2(2)). */
  duplicate(from: number, to: number): void;
  /** flock(2), never waiting. False: another open file description holds the lock. */
  flockExclusive(fd: number): boolean;
  /** Lets connections queue up on a bound socket before anybody accepts them. */
  listen(fd: number, backlog: number): void;
  /** A child that has ended, left as it is; undefined: there is none. */
  peekChild(): number | undefined;
  /** Removes what is left of a child that has ended. False: it has not, or it is none of ours. */
  reapChild(pid: number): boolean;
  /** Who has connected a unix socket, as the kernel knew it then (SO_PEERCRED); a uid of no meaning here is 65534. */
  peerOf(fd: number): { readonly pid: number; readonly uid: number };
  /** Tells systemd (sd_notify(3)); `@` begins an abstract address. False: nobody takes it. */
  notify(socketPath: string, message: string): boolean;
};

/** Put in by a build that has no node_modules beside it. */
declare const KOFFI_FILE: string | undefined;

/** What does not work without them. */
const LOST = [
  'an update restarts the service where it would turn into the new program',
  'as process 1 the supervisor leaves the ends of orphans in the process table (run it under an init such as tini)',
  'systemd is told nothing',
  'locks need the program flock',
  'who asks over the socket of the service is known by the rights of its file alone',
];

let loaded: Outcome<SystemCalls> | undefined;

/** Loads what makes these calls, when first asked for it: it costs 2 MB, and most processes never need it. */
export async function loadSystemCalls(): Promise<Outcome<SystemCalls>> {
  return loadSystemCallsNow();
}

/** The same, for who cannot wait. */
export function loadSystemCallsNow(): Outcome<SystemCalls> {
  loaded ??= load();
  return loaded;
}

function load(): Outcome<SystemCalls> {
  try {
    const koffi: typeof Koffi = createRequire(import.meta.url)(
      typeof KOFFI_FILE === 'string' ? KOFFI_FILE : 'koffi',
    );
    return succeed(bindCalls(koffi));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return fail('SYSTEM_CALLS_UNAVAILABLE', `${reason}. Lost: ${LOST.join('; ')}.`);
  }
}

// Linux, the same on all 64-bit machines: fcntl.h, sys/file.h, sys/wait.h, sys/socket.h, errno.h.
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const LOCK_EX_NB = 2 | 4;
const P_ALL = 0;
const WNOHANG = 1;
const WEXITED_WNOHANG_WNOWAIT = 4 | WNOHANG | 0x1000000;
const SIGINFO_BYTES = 128;
const SI_PID_AT = 16;
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED_BYTES = 12;
const UCRED_UID_AT = 4;
const EWOULDBLOCK = 11;
const ECHILD = 10;

function bindCalls(koffi: typeof Koffi): SystemCalls {
  const own = koffi.load(null);
  const fcntl = own.func('int fcntl(int fd, int command, ...)');
  const dup2 = own.func('int dup2(int from, int to)');
  const flock = own.func('int flock(int fd, int operation)');
  const listen = own.func('int listen(int fd, int backlog)');
  const waitid = own.func(
    'int waitid(int type, unsigned int id, _Out_ uint8_t *info, int options)',
  );
  const waitpid = own.func('int waitpid(int pid, _Out_ int *status, int options)');
  const socket = own.func('int socket(int domain, int type, int protocol)');
  const sendto = own.func(
    'long sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *address, unsigned int address_length)',
  );
  const close = own.func('int close(int fd)');
  const getsockopt = own.func(
    'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ unsigned int *length)',
  );

  /** The result, or the error that the call has left behind, unless it is one of these. */
  const check = (call: string, result: number, allowed: readonly number[] = []): number => {
    const errno = koffi.errno();
    if (result >= 0 || allowed.includes(errno)) return result;
    const code = getSystemErrorName(-errno);
    throw Object.assign(new Error(`${code}: ${call}`), { code, errno: -errno, syscall: call });
  };

  return {
    setCloseOnExec: (fd, on) => {
      check('fcntl', fcntl(fd, F_SETFD, 'int', on ? FD_CLOEXEC : 0));
    },
    duplicate: (from, to) => {
      check('dup2', dup2(from, to));
    },
    flockExclusive: (fd) => check('flock', flock(fd, LOCK_EX_NB), [EWOULDBLOCK]) === 0,
    listen: (fd, backlog) => {
      check('listen', listen(fd, backlog));
    },
    peekChild: () => {
      const info = Buffer.alloc(SIGINFO_BYTES);
      check('waitid', waitid(P_ALL, 0, info, WEXITED_WNOHANG_WNOWAIT), [ECHILD]);
      return info.readInt32LE(SI_PID_AT) || undefined;
    },
    reapChild: (pid) => check('waitpid', waitpid(pid, [0], WNOHANG), [ECHILD]) > 0,
    peerOf: (fd) => {
      const ucred = Buffer.alloc(UCRED_BYTES);
      check('getsockopt', getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred, [UCRED_BYTES]));
      return { pid: ucred.readInt32LE(0), uid: ucred.readUInt32LE(UCRED_UID_AT) };
    },
    notify: (socketPath, message) => {
      const address = toUnixAddress(socketPath);
      if (!address) return false;
      const fd = check('socket', socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0));
      const data = Buffer.from(message);
      const sent = sendto(fd, data, data.length, MSG_DONTWAIT_NOSIGNAL, address, address.length);
      close(fd);
      return sent >= 0;
    },
  };
}

/** `struct sockaddr_un`, unix(7): an abstract address begins with a zero and has no end. */
function toUnixAddress(path: string): Buffer | undefined {
  const bytes = Buffer.from(path.replace(/^@/, '\0'));
  if (!/^[@/]/.test(path) || bytes.length > SUN_PATH_MAX_BYTES) return undefined;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, bytes]);
}
