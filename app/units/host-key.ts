import type { Settings } from '../../shared/config/settings.ts';

/** Whose units are meant, as what was found of them is stored: the units of another host are none of this one's. */
export function hostKey({
  systemdScope,
  sshTarget,
}: Pick<Settings, 'systemdScope' | 'sshTarget'>): string {
  return `${systemdScope} ${sshTarget ?? 'localhost'}`;
}
