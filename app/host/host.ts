import type { Failure, Outcome } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import type { AuthEnvironment } from '../domain/auth-environment.ts';
import type { UnitFile } from '../domain/unit-folders.ts';
import type { PodmanInfo } from './podman-info.ts';

/** Asks what serves on a host, as seen from there. */
export type ProbeSource = {
  /** The status of the answer; redirects are not followed. GATE_PROBE_FAILED with what was seen instead. */
  readonly http: (url: string, timeoutMs: number) => Promise<{ readonly status: number } | Failure>;
  /** Null where something takes connections there. */
  readonly tcp: (host: string, port: number, timeoutMs: number) => Promise<Failure | null>;
};

/** Files of units that are wanted. */
export type FolderRequest = {
  /** In the order in which they count; what is not there is left out. */
  readonly folders: readonly string[];
  /** `.container`, `.service` and the like; `*.conf` in folders called `*.d` are read besides. */
  readonly endings: readonly string[];
  /** 1: only the folders themselves, and the drop-ins in them. */
  readonly depth: number;
};

/** The host whose units are deployed: this one or, over SSH, another. */
export type Host = {
  /** Runs commands there; those for the service manager reach the one whose units are deployed. */
  readonly run: RunCommand;
  /** The units are those of the system and not of a user. */
  readonly isSystem: boolean;
  /**
   * The text of a file there; empty where there is none or, like /dev/null of a masked unit, no regular one. Rejects with
   * the code of the system's error, with EFBIG for more than `maxBytes`.
   */
  readonly readText: (path: string, maxBytes: number) => Promise<string>;
  /**
   * The files there whose names have one of the endings, and the drop-ins among them, of folders and all folders below. Rejects
   * with the code of the error, with EFBIG for more than there are anywhere.
   */
  readonly readFolders: (request: FolderRequest) => Promise<readonly UnitFile[]>;
  readonly ask: ProbeSource;
  /** What podman there is and has, asked by `run` or known from a moment ago. PODMAN_UNAVAILABLE, PODMAN_FAILED. */
  readonly readInfo: (run: RunCommand) => Promise<Outcome<PodmanInfo>>;
  /** What of the environment there decides where podman keeps its credentials. */
  readonly readEnvironment: () => Promise<Outcome<AuthEnvironment>>;
  /** The path of a socket here that leads to a place as it is seen from there; null: this host reaches it itself. */
  readonly forward: ((host: string, port: number) => Promise<string>) | null;
  /** Ends what runs there, and the way to it. */
  readonly close: () => Promise<void>;
};
