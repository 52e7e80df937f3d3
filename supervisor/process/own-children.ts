import type { ChildProcess } from 'node:child_process';

/** Children of this process whose ends Node itself waits for. As process 1 it gets those of others as well. */
export const ownChildren = new Set<number>();

/** Counts a child among our own until its end has been told. */
export function trackChild(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  ownChildren.add(pid);
  child.once('exit', () => ownChildren.delete(pid));
}
