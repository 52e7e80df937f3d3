import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A text that stands nowhere else, and where it was put. */
export type Planted = { readonly name: string; readonly value: string };

/** Plants texts, and finds them again in whatever form. */
export class Plants {
  readonly all: Planted[] = [];

  /** A new one; letters and digits alone, so that it may stand in a URL, a header and a file alike. */
  plant(name: string): string {
    const value = `Zg${randomBytes(18).toString('base64').replaceAll(/\W/g, 'x')}`;
    return this.add(name, value);
  }

  /** One that others have made. */
  add(name: string, value: string): string {
    this.all.push({ name, value });
    return value;
  }

  /** The names of those that a text holds: as they are, or in Base64, whatever stands before them there. */
  find(text: string | Buffer): string[] {
    const bytes = Buffer.from(text);
    return this.all
      .filter(({ value }) => formsOf(value).some((form) => bytes.includes(form)))
      .map(({ name }) => name);
  }
}

/** Three bytes are four characters, so the same text looks different after each of three lengths. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const encoded = [0, 1, 2].map((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64url');
    // What the neighbours decide, too, is left away.
    return shifted.slice(
      offset === 0 ? 0 : offset + 1,
      Math.floor(((offset + bytes.length) * 8) / 6),
    );
  });
  return [value, bytes.toString('hex'), ...encoded];
}

/** Every file below a folder with what is in it; what goes while one looks is left out. */
export function readTree(folder: string): { readonly path: string; readonly bytes: Buffer }[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      try {
        return [{ path: path.slice(folder.length + 1), bytes: readFileSync(path) }];
      } catch {
        return [];
      }
    });
}

/** A process with what everybody of its user can read of it (proc(5)). */
export type SeenProcess = {
  readonly pid: number;
  /** Its arguments, separated by spaces. */
  readonly command: string;
  readonly environment: Buffer;
};

/** The processes there are now, of this user, but this one. */
export function readProcesses(): SeenProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => Number(pid) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const environment = readFileSync(`/proc/${pid}/environ`);
        return command === '' ? [] : [{ pid: Number(pid), command, environment }];
      } catch {
        // It has ended, or is somebody else's.
        return [];
      }
    });
}
