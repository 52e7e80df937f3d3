import { until } from '../helpers/until.ts';

const OPENED_WITHIN_MS = 10_000;
const LISTENING = /^Debugger listening on (ws:\/\/\S+)$/gm;

/** What a process of Node's holds that it cannot let go: asked of its inspector, which a signal opens. */
export class LiveHeap {
  readonly #socket: WebSocket;
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** `readOutput` gives what the process has printed; it is to run with `--inspect-port=0`. */
  static async open(pid: number, readOutput: () => string): Promise<LiveHeap> {
    process.kill(pid, 'SIGUSR1');
    const url = await until(
      'an inspector',
      OPENED_WITHIN_MS,
      async () => [...readOutput().matchAll(LISTENING)].at(-1)?.[1],
    );
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', reject);
    });
    return new LiveHeap(socket);
  }

  /** Objects and buffers, in MB, after everything was collected that is not used any more. */
  async readMb(): Promise<number> {
    await this.#ask('HeapProfiler.collectGarbage', {});
    const expression = 'process.memoryUsage().heapUsed + process.memoryUsage().external';
    const { result } = await this.#ask('Runtime.evaluate', { expression });
    return Number(result?.value) / 1024 / 1024;
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, params: object): Promise<{ readonly result?: { readonly value: unknown } }> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      const read = ({ data }: MessageEvent) => {
        const answer = JSON.parse(String(data)) as { id?: number; result: object };
        if (answer.id !== id) return;
        this.#socket.removeEventListener('message', read);
        resolve(answer.result);
      };
      this.#socket.addEventListener('message', read);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
