import type { Readable } from 'node:stream';

/**
 * Tells each line of a stream as it comes, and undefined in place of one that is longer than `maxLength` UTF-16 units:
 * whoever writes there cannot fill the memory. The result gives what has come since the last end of a line.
 *
 * Only a line feed ends a line. Node's own reader also ends one at characters that JSON has within its strings.
 */
export function readLines(
  stream: Readable,
  maxLength: number,
  onLine: (line: string | undefined) => void,
): () => string | undefined {
  let pending = '';
  let isOversized = false;

  const take = (part: string) => {
    isOversized ||= pending.length + part.length > maxLength;
    pending = isOversized ? '' : pending + part;
  };
  const rest = () => (isOversized ? undefined : pending);

  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = text.split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      take(line);
      const whole = rest();
      pending = '';
      isOversized = false;
      onLine(whole);
    }
    take(last);
  });
  return rest;
}
