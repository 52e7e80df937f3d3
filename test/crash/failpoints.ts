import type { UpdateState } from '../../shared/contract/update-record.ts';
import type { Files } from '../../shared/fs/files.ts';
import type { SupervisorEffect } from '../../supervisor/core/supervisor.ts';

/** The variable with the points at which a supervisor with failpoints does something: `POINT=ACTION;POINT=ACTION`. */
export const VARIABLE = 'FAILPOINTS';

/** The variable with the file that gets a line for each point that was reached. */
export const TRACE_VARIABLE = 'FAILPOINTS_TRACE';

/** `step#N` is the N-th point of a process, whatever it is. */
export const STEP = 'step';

/** The file operations that can fail, or be the last thing that a supervisor does. */
export const FILE_OPERATIONS = [
  'create',
  'openToAppend',
  'write',
  'sync',
  'syncDirectory',
  'rename',
  'link',
  'unlink',
  'makeDirectory',
] as const satisfies readonly (keyof Files)[];
export type FileOperation = (typeof FILE_OPERATIONS)[number];

/**
 * Effects that touch nothing outside the process: what is done before them is done behind them as well, so they are no
 * points of their own.
 */
export const SILENT_EFFECTS = [
  'report',
  'signal',
  'set-timer',
  'clear-timer',
  'set-update-timer',
  'clear-update-timer',
  'set-standby-timer',
  'clear-standby-timer',
] as const satisfies readonly SupervisorEffect['kind'][];

/** The state of the record, or what there is instead of a record. */
type PointState = UpdateState | 'none' | 'identifying';
type EffectKind = Exclude<
  SupervisorEffect['kind'],
  // Asked a quarter of an hour after a host was held, and not again before the next quarter.
  (typeof SILENT_EFFECTS)[number] | 'look-for-release'
>;
type Reached = { readonly [K in EffectKind]?: readonly PointState[] };

/**
 * Before and after which effects a supervisor can be ended, by the state that the record is in then, and in which story
 * it is done. What comes first in each story is broken in the first one only.
 */
export const EFFECT_POINTS = {
  'a good update': {
    identify: ['identifying'],
    persist: [
      ...(['requested', 'staging', 'staged', 'quiescing', 'backing-up'] as const),
      ...(['switching', 'trial', 'handing-over', 'committing'] as const),
    ],
    answer: ['staging'],
    stage: ['staging'],
    'tell-worker': ['staged', 'committing'],
    'suspend-worker': ['quiescing', 'handing-over'],
    'signal-worker': ['quiescing', 'handing-over', 'none'],
    'back-up': ['backing-up'],
    'switch-program': ['switching'],
    'resume-worker': ['none', 'trial', 'handing-over'],
    'start-worker': ['none', 'trial', 'handing-over'],
    probe: ['trial', 'handing-over'],
    check: ['trial'],
    execute: ['handing-over'],
    'end-trial': ['committing'],
    close: ['committing'],
    exit: ['none'],
  },
  'a release that crashes at its start': {
    'cancel-act': ['trial', 'rolling-back'],
    persist: ['rolling-back', 'rolled-back'],
    'suspend-worker': ['rolling-back'],
    'restore-program': ['rolling-back'],
    'settle-database': ['rolling-back'],
    'resume-worker': ['rolling-back'],
    'start-worker': ['rolling-back'],
    probe: ['rolling-back'],
    'end-trial': ['rolled-back'],
    'tell-worker': ['rolled-back'],
    close: ['rolled-back'],
  },
  'a release that crashes after it has changed the database': {
    persist: ['rolling-back', 'rolled-back'],
    'restore-program': ['rolling-back'],
    'settle-database': ['rolling-back'],
    'start-worker': ['rolling-back'],
    probe: ['rolling-back'],
  },
  'a release that hangs': { 'kill-worker': ['trial'] },
  'a release whose supervisor does not start': {
    execute: ['handing-over'],
    persist: ['rolling-back'],
    'restore-program': ['rolling-back'],
    'settle-database': ['rolling-back'],
    close: ['rolled-back'],
  },
  'a release whose worker dies under its own supervisor': {
    'cancel-act': ['handing-over'],
    persist: ['rolling-back', 'rolled-back'],
    'restore-program': ['rolling-back'],
    'settle-database': ['rolling-back'],
    execute: ['rolling-back'],
    'start-worker': ['rolling-back'],
  },
  'an old version that does not stop': { 'kill-worker': ['quiescing'] },
  'a cancelled update': {
    'cancel-act': ['aborting'],
    persist: ['aborting'],
    'tell-worker': ['aborting'],
    'resume-worker': ['aborting'],
    close: ['aborting'],
    answer: ['aborting'],
  },
  'a backup that fails': {
    persist: ['aborting'],
    'start-worker': ['aborting'],
    close: ['aborting'],
  },
  'a dry run': { persist: ['aborting'], close: ['aborting'] },
  'a stop in the middle of a trial': {
    persist: ['trial'],
    'signal-worker': ['trial'],
    exit: ['trial'],
  },
  'going back on purpose, with the database': {
    'inspect-staged': ['staged'],
    'switch-program': ['switching'],
    'restore-wanted': ['switching'],
    persist: ['trial', 'committing'],
  },
  'a hold that is ended': { 'save-policy': ['none'], answer: ['none'] },
  'two bad versions, and a person who helps': {
    persist: ['held', 'rolling-back'],
    'suspend-worker': ['held'],
    'start-standby': ['held'],
    'save-policy': ['rolling-back'],
    'stop-standby': ['rolling-back'],
  },
  'two bad versions, and a newer one that helps': { supersede: ['held'], persist: ['requested'] },
} as const satisfies Readonly<Record<string, Reached>>;

/** What is told of the life of a supervisor here, from the first request to the end. */
export type StoryName = keyof typeof EFFECT_POINTS;

type PointsOf<T> = {
  [K in keyof T & string]: T[K] extends readonly (infer S extends string)[] ? `${K}:${S}` : never;
}[keyof T & string];
type When = 'before' | 'after';

/** A step before or after which a supervisor can be ended. */
export type EffectPoint = {
  [S in StoryName]: `${When}:${PointsOf<(typeof EFFECT_POINTS)[S]>}`;
}[StoryName];

/** What replacing one small file durably takes. */
const REPLACE = { create: 1, write: 1, sync: 1, rename: 1, syncDirectory: 1 } as const;

/**
 * File operations that can fail, how many of each there are in an effect, and the story in which it is done. That
 * nobody can be answered is told by the limit of his waiting, so that of an answer only what comes behind it is here.
 */
export const FILE_POINTS = {
  'a good update': {
    'persist:requested': REPLACE,
    'persist:staging': REPLACE,
    'persist:staged': REPLACE,
    'persist:quiescing': REPLACE,
    'persist:backing-up': REPLACE,
    'persist:switching': REPLACE,
    'persist:trial': REPLACE,
    'persist:handing-over': REPLACE,
    'persist:committing': REPLACE,
    'answer:staging': { unlink: 1 },
    'back-up:backing-up': {
      ...{ makeDirectory: 3, syncDirectory: 6, unlink: 5, link: 1 },
      ...{ rename: 3, create: 2, write: 2, sync: 2 },
    },
    'switch-program:switching': {
      ...{ unlink: 2, link: 1, rename: 3, syncDirectory: 3 },
      ...{ create: 1, write: 1, sync: 1 },
    },
    'close:committing': {
      ...{ create: 2, write: 3, sync: 3, rename: 2, syncDirectory: 5 },
      ...{ openToAppend: 1, unlink: 2 },
    },
  },
  'a release that crashes after it has changed the database': {
    'persist:rolling-back': REPLACE,
    'restore-program:rolling-back': { unlink: 2, link: 1, rename: 1, syncDirectory: 1 },
    'settle-database:rolling-back': {
      ...{ makeDirectory: 1, syncDirectory: 6, unlink: 4, link: 1, rename: 4 },
    },
    'persist:rolled-back': REPLACE,
    'close:rolled-back': {
      ...{ create: 3, write: 4, sync: 4, rename: 3, syncDirectory: 6 },
      ...{ openToAppend: 1, unlink: 2 },
    },
  },
  'a cancelled update': {
    'persist:aborting': REPLACE,
    'close:aborting': {
      ...{ openToAppend: 1, write: 2, sync: 2, syncDirectory: 3 },
      ...{ create: 1, rename: 1, unlink: 1 },
    },
  },
  'going back on purpose, with the database': {
    'restore-wanted:switching': {
      ...{ makeDirectory: 1, syncDirectory: 4, unlink: 4, link: 1, rename: 2 },
    },
  },
  'a hold that is ended': { 'save-policy:none': REPLACE },
  'two bad versions, and a person who helps': { 'persist:held': REPLACE },
  'two bad versions, and a newer one that helps': {
    'supersede:held': {
      ...{ create: 3, write: 4, sync: 4, rename: 3, syncDirectory: 4 },
      ...{ openToAppend: 1 },
    },
  },
} as const satisfies { readonly [S in StoryName]?: Readonly<Record<string, OperationCounts>> };

type OperationCounts = { readonly [O in FileOperation]?: number };
type ScopesOf<T> = T extends T ? keyof T & string : never;

/** A file operation that can fail. */
export type FilePoint =
  `${FileOperation}#${number}:${ScopesOf<(typeof FILE_POINTS)[keyof typeof FILE_POINTS]>}`;

/** What a disk can say. */
export const ERROR_NAMES = ['ENOSPC', 'EIO', 'EROFS'] as const;
export type ErrorName = (typeof ERROR_NAMES)[number];

/** What happens at a point, by default once. `times`: so often, then no more. */
export type Action = { readonly times: number } & (
  | {
      readonly kind:
        | 'kill'
        /** Worker, standby and helpers first, then itself. */
        | 'kill-all'
        /** Worker, standby and helpers only. */
        | 'kill-children'
        /** Until SIGCONT. */
        | 'pause';
    }
  | { readonly kind: 'exit'; readonly code: number }
  /** Of a file operation: it fails. More than once: from then on all fail that such a disk refuses. */
  | { readonly kind: 'error'; readonly code: ErrorName }
);

/** The text of an action, as the variable has it. */
export type ActionText =
  | 'kill'
  | 'kill-all'
  | 'kill-children'
  | `kill-children*${number}`
  | 'pause'
  | `exit(${number})`
  | `error(${ErrorName})`
  | `error(${ErrorName})*${number}`;

const ACTION = /^(?<kind>[a-z-]+)(?:\((?<argument>\w+)\))?(?:\*(?<times>\d+))?$/;

/** Reads the variable. Throws on anything that it does not know: a test that names no point tests nothing. */
export function parseFailpoints(content: string): readonly (readonly [string, Action])[] {
  return content
    .split(';')
    .filter((part) => part !== '')
    .map((part) => {
      const [point = '', text = ''] = part.split('=', 2);
      return [point, parseAction(text)] as const;
    });
}

function parseAction(text: string): Action {
  const { kind, argument, times: count = '1' } = ACTION.exec(text)?.groups ?? {};
  const times = Number(count);
  switch (kind) {
    case 'kill':
    case 'kill-all':
    case 'kill-children':
    case 'pause':
      return { kind, times };
    case 'exit':
      return { kind, code: Number(argument), times };
    case 'error': {
      const code = ERROR_NAMES.find((name) => name === argument);
      if (code) return { kind, code, times };
    }
  }
  throw new Error(`there is no action ${text}`);
}
