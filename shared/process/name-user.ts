import { userInfo } from 'node:os';

/** The name of the user of this process; its number where it has no name, as in a container. */
export function nameUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 0);
  }
}
