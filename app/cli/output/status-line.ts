/** A line below what is printed, on a terminal only, that is drawn anew each second. */
export type StatusLine = {
  /** Prints text above it; it ends with a line feed. */
  print(text: string): void;
  /** What it says from now on, before the time that has passed. */
  say(text: string): void;
  /** Takes it away. */
  end(): void;
};

const EVERY_MS = 1_000;
const ERASE_LINE = '\r\u001b[K';

/** Begins one; where nobody looks it only prints. */
export function beginStatusLine(stream: NodeJS.WriteStream = process.stdout): StatusLine {
  const isLive = stream.isTTY;
  const startedMs = performance.now();
  let said = '';
  const erase = () => isLive && stream.write(ERASE_LINE);
  const draw = () => {
    if (!isLive || said === '') return;
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    stream.write(`${ERASE_LINE}${`${said} … ${seconds} s`.slice(0, stream.columns - 1)}`);
  };
  const timer = isLive ? setInterval(draw, EVERY_MS) : undefined;
  return {
    print(text) {
      erase();
      stream.write(text);
      draw();
    },
    say(text) {
      said = text.replaceAll(/\p{Cc}/gu, ' ');
      draw();
    },
    end() {
      clearInterval(timer);
      erase();
    },
  };
}
