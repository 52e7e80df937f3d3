/**
 * So many readers of a task's log; with CUTS `true` every second one cuts itself off in the middle and comes again. Prints what they
 * saw: who missed a line, had one twice or out of order.
 *   node test/bench/live-viewers.ts URL TOKEN VIEWERS LINES CUTS
 */
import { type IncomingMessage, request } from 'node:http';

const [url = '', token = '', viewers = '1', lines = '0', cuts] = process.argv.slice(2);
const expected = Number(lines);

type Seen = {
  next: number;
  isWrong: boolean;
  lastId: string;
  isOver: boolean;
  connections: number;
};

/** Reads until the end of the stream, or until it has cut itself off. */
async function read(seen: Seen, cutAt: number): Promise<void> {
  const response = await connect(seen.lastId);
  seen.connections++;
  let rest = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      const blocks = (rest + String(chunk)).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) take(block, seen);
      if (seen.next > cutAt) return void response.destroy();
    }
  } catch {
    // Cut off by the server: it comes again.
  }
}

function connect(lastId: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${token}`, 'last-event-id': lastId };
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, resolve).on('error', reject).end();
  });
}

function take(block: string, seen: Seen): void {
  const id = /^id: (\d+)$/m.exec(block)?.[1];
  if (id !== undefined) seen.lastId = id;
  if (/^event: end$/m.test(block)) seen.isOver = true;
  if (!block.includes('"action":"command-output"')) return;
  const data = /^data: (.*)$/m.exec(block)?.[1] ?? '{}';
  const { meta } = JSON.parse(data) as { meta: { parts: { text: string }[] } };
  for (const { text } of meta.parts) {
    for (const [, number] of text.matchAll(/^line (\d+) /gm)) {
      if (Number(number) !== seen.next) seen.isWrong = true;
      seen.next = Number(number) + 1;
    }
  }
}

const all = await Promise.all(
  Array.from({ length: Number(viewers) }, async (_, at) => {
    const seen: Seen = { next: 0, isWrong: false, lastId: '0', isOver: false, connections: 0 };
    const isCut = cuts === 'true' && at % 2 === 1;
    await read(seen, isCut ? expected * (0.25 + (at / Number(viewers)) * 0.5) : Infinity);
    while (!seen.isOver && seen.connections < 50) await read(seen, Infinity);
    return seen;
  }),
);
const whole = all.filter(({ isWrong, next, isOver }) => !isWrong && next === expected && isOver);
const connections = all.reduce((sum, seen) => sum + seen.connections, 0);
process.stdout.write(JSON.stringify({ viewers: all.length, whole: whole.length, connections }));
