/**
 * A worker with everything that it serves, as a process of its own, so that what it does not catch ends it and its memory can be seen.
 *   node test/fuzz/serve.ts FOLDER
 * Its first line says where it listens and what calls its routes take; it ends with 0 at SIGTERM.
 */
import assert from 'node:assert/strict';
import { pino } from 'pino';
import { SOURCES } from '../../app/domain/sources/sources.ts';
import { ROWS } from '../app/http/every-route/rows.ts';
import { serveAll } from '../app/http/every-route/serve-all.ts';
import { TOKEN } from '../app/http/http-fixture.ts';
import type { HookSeed } from './sign-delivery.ts';

/** A good call of a route, from which others are made. */
export type SeedCall = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** That of a delivery is sent to a hook, which is opened as its sender does. */
  readonly hook?: string;
};

/** What the process says of itself. */
export type Serving = {
  readonly port: number;
  readonly calls: readonly SeedCall[];
  readonly hooks: readonly HookSeed[];
};

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
  const hooks = await makeHooks(world.port);
  process.once('SIGTERM', () => {
    process.stdin.destroy();
    void world.stop();
  });
  process.stdin.resume().once('end', () => process.exit(1));
  process.stdout.write(`${JSON.stringify({ port: world.port, calls, hooks } satisfies Serving)}\n`);
}

/** A hook for each source by each of its schemes, made as a person makes it. */
async function makeHooks(port: number): Promise<readonly HookSeed[]> {
  const wishes = Object.values(SOURCES).flatMap(({ kind, schemes, registry }) =>
    schemes.map((scheme) => ({
      ...{ name: `${kind}-by-${scheme}`, source: kind, scheme },
      ...(registry === 'required' && { registry: 'ghcr.io' }),
      ...(kind === 'gitlab' && { image: 'ghcr.io/octo-org/hello' }),
    })),
  );
  const made: HookSeed[] = [];
  for (const wish of wishes) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/hooks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(wish),
    });
    const text = await answer.text();
    assert.equal(answer.status, 201, text);
    made.push({ ...wish, secret: JSON.parse(text).secret.text ?? JSON.parse(text).secret });
  }
  return made;
}
