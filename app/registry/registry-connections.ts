import {
  openRegistrySession,
  type RegistrySession,
  type SessionOptions,
} from './registry-session.ts';

/** The connections to one registry, and what they have shown of it. */
export type ReachedRegistry = {
  readonly session: RegistrySession;
  /** Where it has answered in the clear what was asked without credentials; absent where it has not. */
  openOrigin?: string;
};

/** Connections to registries that several questions share. */
export type RegistryConnections = {
  /** Those to a host (with its port, where it has one); of an `insecure` one no certificate is verified. */
  to(host: string, insecure: boolean): ReachedRegistry;
  /** Closes them all; nothing may be asked afterwards. */
  close(): Promise<void>;
};

/** What holds for all of them. */
export type ConnectionOptions = Omit<SessionOptions, 'unverifiedHost'>;

/** None is open until something is asked. */
export function openRegistryConnections(options: ConnectionOptions): RegistryConnections {
  const reached = new Map<string, ReachedRegistry>();
  return {
    to: (host, insecure) => {
      const name = `${host} ${insecure}`;
      const known = reached.get(name);
      if (known) return known;
      const { hostname } = new URL(`https://${host}`);
      const session = openRegistrySession({
        ...options,
        ...(insecure && { unverifiedHost: hostname }),
      });
      const registry = { session };
      reached.set(name, registry);
      return registry;
    },
    close: async () => {
      await Promise.all([...reached.values()].map(({ session }) => session.close()));
      reached.clear();
    },
  };
}
