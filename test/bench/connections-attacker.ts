/**
 * Holds so many connections open, says FIRST on each and then DRIP every second; whoever is cut off comes again. Prints
 * `full` once a quarter of them is open, and on SIGTERM how many are open and were cut off.
 *   node test/bench/connections-attacker.ts HOST PORT COUNT one|many FIRST DRIP
 */
import { connect, type Socket } from 'node:net';

const [host = '', port = '', count = '1', addresses = 'one', first = '', drip = ''] =
  process.argv.slice(2);
const wanted = Number(count);
const AGAIN_MS = 500;
const ADDRESSES = 50;
const FULL = 0.25;

const open = new Set<Socket>();
let [made, cut, isFull] = [0, 0, false];

function begin(): void {
  const number = made++;
  const localAddress = addresses === 'one' ? '127.0.0.1' : `127.0.${1 + (number % ADDRESSES)}.1`;
  const socket = connect({ host, port: Number(port), localAddress });
  socket.on('error', () => {});
  socket.on('data', () => {});
  socket.once('connect', () => {
    if (first !== '') socket.write(first);
    open.add(socket);
    if (!isFull && open.size >= wanted * FULL) console.log('full');
    isFull ||= open.size >= wanted * FULL;
  });
  socket.once('close', () => {
    open.delete(socket);
    cut++;
    setTimeout(begin, AGAIN_MS);
  });
}

for (let at = 0; at < wanted; at++) begin();
setInterval(() => {
  if (drip !== '') for (const socket of open) socket.write(drip);
}, 1000);
process.on('SIGTERM', () => {
  console.log(JSON.stringify({ open: open.size, cut }));
  process.exit(0);
});
