/**
 * A worker with everything that it serves, as a process of its own, so that what it does not catch ends it and its memory can be seen.
 *   node test/fuzz/serve.ts FOLDER
 * Its first line says where it listens and what calls its routes take; it ends with 0 at SIGTERM.
 */
import { pino } from 'pino';
import { ROWS } from '../app/http/every-route/rows.ts';
import { serveAll } from '../app/http/every-route/serve-all.ts';

/** A good call of a route, from which others are made. */
export type SeedCall = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** What the process says of itself. */
export type Serving = { readonly port: number; readonly calls: readonly SeedCall[] };

/** A minute long it waits for a task that nothing begins here. */
const WAITING = '/api/prune-state';

if (import.meta.main) await serve(process.argv[2] ?? '');

async function serve(folder: string): Promise<void> {
  // An error that was caught and logged is one all the same.
  const log = pino({ level: 'error' }, pino.destination({ dest: 2, sync: true }));
  const world = await serveAll(folder, {}, log);
  const names = Object.entries(ROWS).filter(([name]) => !name.includes(WAITING));
  const calls = names.flatMap(([name, callsOf]) => {
    const [method = '', url = ''] = name.split(' ');
    return callsOf(world).map(({ path = url, headers = {}, body, raw }) => ({
      ...{ method, path, headers },
      body: raw ?? (body === undefined ? '' : JSON.stringify(body)),
    }));
  });
  process.once('SIGTERM', () => {
    process.stdin.destroy();
    void world.stop();
  });
  process.stdin.resume().once('end', () => process.exit(1));
  process.stdout.write(`${JSON.stringify({ port: world.port, calls } satisfies Serving)}\n`);
}
