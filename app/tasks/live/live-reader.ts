/** Somebody who is told what happens, as it happens. */
export type LiveReader = {
  /** False once it has gone, or was dropped because it does not read. */
  readonly isOpen: boolean;
  /** Frames of Server-Sent Events; what is told to many is made once. */
  send(frames: Buffer): void;
  /** Resolves when it has read enough to be told more; false when it has gone. */
  ready(): Promise<boolean>;
  /** Tells it the last thing. */
  end(frames: Buffer): void;
  onClose(listener: () => void): void;
};

/** One frame (HTML Standard, "Server-sent events"). `data` is JSON, which has no line ends of its own. */
export function formatFrame(event: string, data: string, id?: string | number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}
