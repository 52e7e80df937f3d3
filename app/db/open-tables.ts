type Tables<Openers> = { readonly [Name in keyof Openers]: Opened<Openers[Name]> };
type Opened<Opener> = Opener extends () => infer Table ? Table : never;

/**
 * The tables of a database by their names, with the statements of each prepared: of those in `needed` now, of the others once
 * they are asked for; without it of all.
 */
export function openTables<Openers extends Readonly<Record<string, () => unknown>>>(
  openers: Openers,
  needed?: readonly (keyof Openers)[],
): Tables<Openers> {
  const tables = {};
  for (const [name, open] of Object.entries(openers)) {
    const value = () => ({ value: open(), enumerable: true });
    if (needed === undefined || needed.includes(name)) {
      Object.defineProperty(tables, name, value());
      continue;
    }
    const get = () => {
      const opened = value();
      Object.defineProperty(tables, name, opened);
      return opened.value;
    };
    Object.defineProperty(tables, name, { get, enumerable: true, configurable: true });
  }
  return tables as Tables<Openers>;
}
