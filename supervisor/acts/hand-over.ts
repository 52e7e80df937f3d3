import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { type Failure, fail } from '../../shared/contract/outcome.ts';

/**
 * How the listening socket goes over to the program that takes this one's place: as descriptor 0. It is the one that
 * execve(2) leaves open whatever Node has set, that Node marks again at its start, so that no child inherits it
 * unasked, and that a supervisor has no other use for.
 */
export const HANDED_OVER_FD = 0;

/** The variable that says so. */
const VARIABLE = 'PODUP_HANDOVER';
const WORD = 'socket=0';

/** The launcher says in it which file it has started. To the worker it would be an unknown setting. */
const LAUNCHER_VARIABLE = 'PODUP_LAUNCHED_SLOT';

/** Whether this process has been given its socket by the program that it was before. */
export function isHandedOver(environment: NodeJS.ProcessEnv): boolean {
  return environment[VARIABLE] === WORD;
}

/** The environment without what was meant for this process alone. */
export function withoutHandOver(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { [VARIABLE]: _handedOver, [LAUNCHER_VARIABLE]: _slot, ...rest } = environment;
  return rest;
}

/**
 * Becomes the program at `target`: same process, same socket, new image. Comes back only with the reason why it could
 * not, and then everything is as before. No child may be alive: the new image would never learn of its end.
 * `duplicate` is dup2(2).
 */
export function becomeProgram(
  target: string,
  socketFd: number,
  environment: NodeJS.ProcessEnv,
  duplicate: (from: number, to: number) => void,
): Failure {
  try {
    accessSync(target, constants.X_OK);
    if (socketFd !== HANDED_OVER_FD) duplicate(socketFd, HANDED_OVER_FD);
    process.execve?.(target, [target, 'supervise'], {
      ...definedOnly(environment),
      [VARIABLE]: WORD,
    });
    throw new Error('this Node has no execve');
  } catch (error) {
    if (socketFd !== HANDED_OVER_FD) closeInput(duplicate);
    const { code, message } = error as NodeJS.ErrnoException;
    return fail('UPDATE_SUPERVISOR_FAILED', `${target} cannot be executed (${code ?? message}).`)
      .failure;
  }
}

function closeInput(duplicate: (from: number, to: number) => void): void {
  const nothing = openSync('/dev/null', 'r');
  duplicate(nothing, HANDED_OVER_FD);
  closeSync(nothing);
}

function definedOnly(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    ),
  );
}
