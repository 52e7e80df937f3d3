import type { Readable } from 'node:stream';

/** One Server-Sent Event. */
export type ServerEvent = {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
};

/** What one event of our own service can be at most, and many times that. */
const MAX_EVENT_LENGTH = 8 * 1024 * 1024;

/**
 * The events of a stream as they come (HTML Standard, "Server-sent events"), each whole; comments and what was cut off are
 * left out.
 * @throws where an event is longer than 8 MiB, and what the stream throws.
 */
export async function* readEvents(stream: Readable): AsyncGenerator<ServerEvent> {
  let rest = '';
  for await (const text of stream.setEncoding('utf8')) {
    const blocks = `${rest}${text}`.split('\n\n');
    rest = blocks.pop() ?? '';
    if (rest.length > MAX_EVENT_LENGTH) throw new Error('The stream makes no sense.');
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event) yield event;
    }
  }
}

function parseEvent(block: string): ServerEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    const before = name === 'data' ? fields.get(name) : undefined;
    fields.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  const data = fields.get('data');
  if (data === undefined) return undefined;
  return { event: fields.get('event') ?? 'message', id: fields.get('id') ?? null, data };
}
