/** What finding the state directory needs to know of the world. */
export type StateDirectoryWorld = {
  readonly environment: NodeJS.ProcessEnv;
  readonly isWritable: (path: string) => boolean;
};

const SYSTEM_WIDE = '/srv/pod-upgrade-trigger';

/**
 * The state directory: the configured one, systemd's, the system-wide one where it exists and is writable, else one
 * below the home of the user. Undefined where there is no home either.
 */
export function findStateDirectory(
  configured: string | undefined,
  world: StateDirectoryWorld,
): string | undefined {
  if (configured !== undefined) return configured;
  const { environment } = world;
  // systemd.exec(5): several, separated by colons, where several were asked for.
  const fromSystemd = environment['STATE_DIRECTORY']?.split(':')[0];
  if (fromSystemd) return fromSystemd;
  if (world.isWritable(SYSTEM_WIDE)) return SYSTEM_WIDE;
  const home = environment['HOME'];
  const xdg = environment['XDG_STATE_HOME'];
  // XDG Base Directory Specification: a path that is not absolute is to be ignored.
  const base = xdg?.startsWith('/') ? xdg : home && `${home}/.local/state`;
  return base ? `${base}/pod-upgrade-trigger` : undefined;
}
