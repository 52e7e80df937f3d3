import { writeFileSync } from 'node:fs';

/**
 * Makes an executable file that runs a source of ours with the Node that runs the tests, whatever the path is. The
 * source finds in PROGRAM as what it was started.
 */
export function makeExecutable(path: string, source: string): void {
  const words = [process.execPath, source].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const script = `#!/bin/sh\nexport PROGRAM="$0"\nexec ${words.join(' ')} "$@"\n`;
  writeFileSync(path, script, { mode: 0o755 });
}

/** Makes a program that does for each first word what the shell commands say; nothing, and well, for any other. */
export function makeProgram(path: string, commands: Readonly<Record<string, string>> = {}): void {
  const cases = Object.entries(commands).map(([word, script]) => `${word})\n${script}\n;;`);
  writeFileSync(path, `#!/bin/sh\ncase "$1" in\n${cases.join('\n')}\nesac\n`, { mode: 0o755 });
}
