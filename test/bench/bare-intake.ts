/**
 * The least that a durable intake in Node can be: HTTP, raw body, HMAC, append with group commit, 202. No routes, no
 * judgement, no record of what was said. Arguments: port, file to append to; the secret is in BENCH_SECRET.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { fdatasync, ftruncateSync, openSync, write } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';

const [port, path = ''] = process.argv.slice(2);
const secret = process.env['BENCH_SECRET'] ?? '';
/** Begun anew beyond this size: the disk of a bench host is not endless. */
const MAX_FILE_BYTES = 1024 ** 3;

const file = openSync(path, 'wx', 0o600);
let size = 0;
let waiting: { readonly body: Buffer; readonly response: ServerResponse }[] = [];
let isBusy = false;

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const expected = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const given = Buffer.from(
      String(request.headers['x-hub-signature-256']).padEnd(71).slice(0, 71),
    );
    if (!timingSafeEqual(Buffer.from(expected), given)) {
      response.writeHead(401).end();
      return;
    }
    waiting.push({ body, response });
    // After this turn of the event loop, so that what arrived together is committed together.
    if (!isBusy) setImmediate(flush);
    isBusy = true;
  });
}).listen(Number(port), '127.0.0.1', 4096);

process.once('SIGTERM', () => process.exit(0));

/** One write and one sync for all that arrived meanwhile. */
function flush(): void {
  const group = waiting;
  waiting = [];
  const bytes = Buffer.concat(group.map(({ body }) => body));
  if (size > MAX_FILE_BYTES) {
    ftruncateSync(file, 0);
    size = 0;
  }
  write(file, bytes, 0, bytes.length, size, (error, written) => {
    if (error ?? written !== bytes.length) throw error ?? new Error('The write was cut short.');
    size += written;
    fdatasync(file, (syncError) => {
      if (syncError) throw syncError;
      for (const { response } of group) response.writeHead(202).end();
      if (waiting.length > 0) setImmediate(flush);
      else isBusy = false;
    });
  });
}
