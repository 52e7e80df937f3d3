import { parseUnitName } from '../../shared/contract/unit-name.ts';
import { isTemplate, parseInstance } from './unit-template.ts';

/** What a caller may do. */
export type Access = {
  /** To look at everything but what only admins see. */
  readonly read: boolean;
  /** To have units deployed: all, or these; the name of a template (`app@.service`) stands for its instances. */
  readonly deploy: 'all' | readonly string[];
  /** Everything. */
  readonly admin: boolean;
  /** To read the numbers for a monitor, without the right to look at the rest. */
  readonly monitor?: true;
};

/** What a route wants of its callers. `hook`: a delivery, which proves itself. `deploy`: of which units says its input. */
export const NEEDS = ['anyone', 'hook', 'monitor', 'read', 'deploy', 'admin'] as const;

/** One of them. */
export type Need = (typeof NEEDS)[number];

/** What a request of a route that wants `deploy` is about: all units, some by their names, or more than units. */
export type Claim = 'all' | 'admin' | readonly string[];

/** Of who may do everything. */
export const ADMIN_ACCESS: Access = { read: true, deploy: 'all', admin: true };

/** Of who may have every unit deployed, and nothing else. */
export const DEPLOY_ACCESS: Access = { read: false, deploy: 'all', admin: false };

/** Of a monitor. */
export const MONITOR_ACCESS: Access = { read: false, deploy: [], admin: false, monitor: true };

/** Whether somebody may call a route at all; of one that wants `deploy` the units are another question, see `covers`. */
export function meets(access: Access, need: Need): boolean {
  switch (need) {
    case 'anyone':
    case 'hook':
      return true;
    case 'monitor':
      return access.admin || access.read || access.monitor === true;
    case 'read':
      return access.admin || access.read;
    case 'deploy':
      return access.admin || access.deploy === 'all' || access.deploy.length > 0;
    case 'admin':
      return access.admin;
  }
}

/** What of a claim is beyond somebody's access; null where nothing is. Names that are none of units are no right to anything. */
export function findBeyond({ admin, deploy }: Access, claim: Claim): string | null {
  if (admin) return null;
  if (claim === 'admin') return 'admin';
  if (deploy === 'all') return null;
  if (claim === 'all') return 'deploy:*';
  const beyond = claim.find((name) => !mayDeploy(deploy, name));
  return beyond === undefined ? null : `deploy:${beyond.slice(0, 255)}`;
}

function mayDeploy(allowed: readonly string[], name: string): boolean {
  const unit = parseUnitName(name);
  if (unit === undefined) return false;
  if (allowed.includes(unit)) return true;
  const template = parseInstance(unit)?.template;
  return template !== undefined && allowed.includes(template);
}

/** Whether somebody may have one unit deployed. */
export function mayDeployUnit(access: Access, unit: string): boolean {
  return findBeyond(access, [unit]) === null;
}

/** More units than these would be all of them. */
const MAX_SCOPES = 200;

/**
 * Reads scopes as people write them: `read`, `admin`, `deploy:*`, `deploy:web,app@1,worker@`. Gives them in one form, each once
 * and one unit each; the first that is none of them where there is one.
 */
export function readScopes(
  texts: readonly string[],
): { readonly scopes: readonly string[] } | { readonly fault: string } {
  const scopes = new Set<string>();
  for (const text of texts) {
    const read = readScope(text.trim());
    if (!read) return { fault: text.slice(0, 300) };
    for (const scope of read) scopes.add(scope);
  }
  if (scopes.size === 0 || scopes.size > MAX_SCOPES) return { fault: `${scopes.size} scopes` };
  return { scopes: [...scopes].sort() };
}

function readScope(text: string): readonly string[] | undefined {
  if (text === 'read' || text === 'admin' || text === 'deploy:*') return [text];
  if (!text.startsWith('deploy:')) return undefined;
  const units = text
    .slice('deploy:'.length)
    .split(',')
    .map((name) => readUnit(name.trim()));
  return units.every((unit) => unit !== undefined)
    ? units.map((unit) => `deploy:${unit}`)
    : undefined;
}

function readUnit(name: string): string | undefined {
  const template = name.endsWith('.service') ? name : `${name}.service`;
  return parseUnitName(name) ?? (isTemplate(template) ? template : undefined);
}

/** What scopes allow, in the form in which `readScopes` gives them; what is none of them allows nothing. */
export function toAccess(scopes: readonly string[]): Access {
  const units = scopes.flatMap((scope) =>
    scope.startsWith('deploy:') ? [scope.slice('deploy:'.length)] : [],
  );
  return {
    read: scopes.includes('read'),
    deploy: units.includes('*') ? 'all' : units,
    admin: scopes.includes('admin'),
  };
}

/** The scopes of an access; `metrics`, which no token can be given, is that of a monitor. */
export function toScopes({ read, deploy, admin, monitor }: Access): string[] {
  return [
    ...(admin ? ['admin'] : []),
    ...(read ? ['read'] : []),
    ...(monitor ? ['metrics'] : []),
    ...(deploy === 'all' ? ['deploy:*'] : deploy.map((unit) => `deploy:${unit}`)),
  ];
}

/** The same in words, of which there are not too many. */
export function describeAccess(access: Access): string {
  const words = toScopes(access);
  const shown = words.slice(0, 10).join(', ');
  return words.length > 10 ? `${shown} and ${words.length - 10} more` : shown;
}
