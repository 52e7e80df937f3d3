import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { type Failure, FailureError, fail } from '../../../shared/contract/outcome.ts';
import { foreignEnvironment } from '../../../shared/process/foreign-environment.ts';
import { type ClientOptions, forwardArguments, NOT_SHARED } from './client-arguments.ts';
import { toLine, unreachable } from './shared-connection.ts';

const MAX_SAID_CHARACTERS = 4_000;

/** A stream of bytes to another place, and when its client is gone. */
export type Forward = { readonly stream: Duplex; readonly ended: Promise<void> };

/**
 * A stream to `host:port` as seen from the other side, over the open connection (ssh(1) -W). ssh does not say when it
 * is through: the stream is there at once, and where the place refuses it is destroyed with a `FailureError`. Its client
 * ends with the stream, whose end is also that of `signal`.
 */
export function openForward(
  client: ClientOptions & { readonly name: string },
  place: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Forward {
  const [file, ...args] = forwardArguments(client, place.host, place.port);
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: foreignEnvironment(),
  });
  const stream = new ClientStream(child);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-MAX_SAID_CHARACTERS);
  });
  child.once('error', (error) => stream.fail(unreachable(client.name, error.message)));
  child.once('close', (code) => {
    if (code === 0) stream.push(null);
    else stream.fail(describe(client, place, said));
    resolve();
  });
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  if (signal.aborted) stream.destroy();
  return { stream, ended };
}

/** The two streams of a client as one, which ends only when the client has told by its exit code whether that is well. */
class ClientStream extends Duplex {
  readonly #client: ChildProcessWithoutNullStreams;

  constructor(client: ChildProcessWithoutNullStreams) {
    super();
    this.#client = client;
    client.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) client.stdout.pause();
    });
    // Its end says why.
    client.stdin.on('error', () => undefined);
  }

  fail(failure: Failure): void {
    if (!this.destroyed) this.destroy(new FailureError(failure));
  }

  override _read(): void {
    this.#client.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#client.stdin.write(chunk, (error) => {
      if (!error) done();
    });
  }

  override _final(done: () => void): void {
    this.#client.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#client.kill('SIGTERM');
    this.#client.stdout.destroy();
    done(error);
  }
}

function describe(
  client: { readonly name: string },
  { host, port }: { readonly host: string; readonly port: number },
  said: string,
): Failure {
  if (said.includes(NOT_SHARED)) return unreachable(client.name, said.replaceAll(NOT_SHARED, ''));
  if (said === '') return unreachable(client.name, 'the connection was lost');
  const words = `not connected there (${toLine(said)})`;
  return fail('GATE_PROBE_FAILED', `${host}:${port} on ${client.name}: ${words}.`).failure;
}
