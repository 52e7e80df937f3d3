import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  type AddressInfo,
  connect as connectTo,
  createServer,
  type Server,
  type Socket,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const root = join(import.meta.dirname, '../..');
/** The name under which the ssh configuration knows the host. */
const NAME = 'lab2';
const START_MS = 60_000;

/** What a script on the host came to. */
export type ScriptEnd = {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
};

/**
 * A second host for tests: a lab of its own with a real sshd, which runs as the lab's user, and the way to it, which can
 * be cut. Needs root. A client finds it with `ssh -F sshConfigFile lab2`.
 */
export class SshHostLab {
  readonly target = NAME;
  readonly sshConfigFile: string;
  /** A private folder for the sockets of a client. */
  readonly controlDir: string;
  /** Holds known_hosts and the keys. */
  readonly folder: string;
  readonly #lab: ChildProcess;
  readonly #front: Server;
  readonly #sockets = new Set<Socket>();
  #accepted = 0;
  #block: 'refuse' | 'hang' | undefined;

  constructor(folder: string, lab: ChildProcess) {
    this.folder = folder;
    this.sshConfigFile = join(folder, 'ssh_config');
    this.controlDir = join(folder, 'c');
    this.#lab = lab;
    this.#front = createServer((outer) => this.#accept(outer));
  }

  /** Connections that clients have opened so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Runs a bash script on the host as its user, with the lab's environment, by no SSH. */
  async exec(script: string): Promise<ScriptEnd> {
    const socket = connectTo({ path: join(this.folder, 'scripts.sock'), allowHalfOpen: true });
    socket.end(script);
    return JSON.parse(await text(socket)) as ScriptEnd;
  }

  /** Ends every connection, as a network does that goes away; new ones come through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing comes through the open connections any more, in either direction, and nobody is told. */
  freeze(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** New connections are closed at once, or (`hang`) never answered. Those that are open stay. */
  block(how: 'refuse' | 'hang' = 'refuse'): void {
    this.#block = how;
  }

  unblock(): void {
    this.#block = undefined;
  }

  /** Ends the host and all that runs there. */
  async close(): Promise<void> {
    this.#front.close();
    this.cut();
    const ended = new Promise((resolve) => this.#lab.once('exit', resolve));
    if (this.#lab.exitCode === null && this.#lab.kill('SIGTERM')) await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Opens the way; the ssh configuration then names it. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#front.listen(0, '127.0.0.1', resolve));
    const { port } = this.#front.address() as AddressInfo;
    const lines = [
      `Host ${NAME}`,
      ...['HostName 127.0.0.1', `Port ${port}`, 'User lab', `HostKeyAlias ${NAME}`],
      ...[`IdentityFile ${join(this.folder, 'user_key')}`, 'IdentitiesOnly yes'],
      ...['IdentityAgent none', 'GlobalKnownHostsFile /dev/null'],
      `UserKnownHostsFile ${join(this.folder, 'known_hosts')}`,
    ];
    writeFileSync(this.sshConfigFile, `${lines.join('\n')}\n`);
  }

  #accept(outer: Socket): void {
    this.#accepted++;
    this.#hold(outer);
    if (this.#block === 'refuse') outer.destroy();
    if (this.#block) return;
    const inner = connectTo(join(this.folder, 'bridge.sock'));
    this.#hold(inner);
    outer.pipe(inner).pipe(outer);
    outer.on('close', () => inner.destroy());
    inner.on('close', () => outer.destroy());
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true).on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/**
 * Starts a second host; `root` is a Debian root for `test/lab/run --root`, `sshd` are more lines of sshd_config(5).
 * Resolves when sshd takes connections.
 */
export async function startSshHost(
  options: { readonly root?: string; readonly sshd?: readonly string[] } = {},
): Promise<SshHostLab> {
  const folder = mkdtempSync(join(tmpdir(), 'podup-ssh-'));
  mkdirSync(join(folder, 'c'), { mode: 0o700 });
  for (const name of ['host_key', 'user_key']) makeKey(join(folder, name));
  const publicKey = (name: string) => readFileSync(join(folder, `${name}.pub`), 'utf8');
  writeFileSync(join(folder, 'known_hosts'), `${NAME} ${publicKey('host_key')}`);
  writeFileSync(join(folder, 'authorized_keys'), publicKey('user_key'));
  writeFileSync(
    join(folder, 'sshd_config'),
    [
      ...['ListenAddress 127.0.0.1', `HostKey ${join(folder, 'host_key')}`, 'PidFile none'],
      ...['UsePAM no', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no'],
      ...['StrictModes no', `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`],
      ...[...(options.sshd ?? []), ''],
    ].join('\n'),
  );
  const lab = spawn(
    join(root, 'test/lab/run'),
    [
      ...(options.root === undefined ? [] : ['--root', options.root]),
      ...['--bind', `${folder}:${folder}`, '--'],
      ...[process.execPath, join(root, 'test/fixtures/ssh-host.ts'), folder],
    ],
    // Its input ends with this process, and it ends with its input.
    { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const host = new SshHostLab(folder, lab);
  try {
    await Promise.all([awaitReady(lab), host.listen()]);
    return host;
  } catch (error) {
    await host.close();
    throw error;
  }
}

/** Makes a key pair without a passphrase at a path. */
export function makeKey(path: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path]);
}

function awaitReady(lab: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  const refuse = (why: string) => reject(new Error(`the second host ${why}:\n${said}`));
  const deadline = setTimeout(() => refuse(`is not up within ${START_MS} ms`), START_MS);
  lab.once('exit', (code) => refuse(`ended with ${code}`));
  for (const stream of [lab.stdout, lab.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      said = `${said}${chunk}`.slice(-20_000);
      if (said.includes('ready\n')) resolve();
    });
  }
  return promise.finally(() => clearTimeout(deadline));
}
