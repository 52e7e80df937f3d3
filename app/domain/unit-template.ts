/** Name and instance of a template instance: `app@1.service` is `app@.service` and `1` (systemd.unit(5)). */
export type TemplateInstance = { readonly template: string; readonly instance: string };

/** Reads the name of an instance of a template; undefined for every other unit. */
export function parseInstance(unit: string): TemplateInstance | undefined {
  const at = unit.indexOf('@');
  const dot = unit.lastIndexOf('.');
  if (at <= 0 || dot <= at + 1) return undefined;
  return {
    template: `${unit.slice(0, at + 1)}${unit.slice(dot)}`,
    instance: unit.slice(at + 1, dot),
  };
}

/** Whether a name is that of a template, of which only instances can be started. */
export function isTemplate(unit: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9:_.\\-]*@\.service$/.test(unit);
}

/** A pattern of SQLite's GLOB for a unit and, where it is an instance, the others of its template. */
export function familyPattern(unit: string): string {
  const parsed = parseInstance(unit);
  // Names of units hold none of the characters that mean something to GLOB.
  return parsed ? parsed.template.replace('@', '@*') : unit;
}

/** The order in which instances of one template are deployed: by number where they are numbers, else by name. */
export function compareInstances(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
