import { type Assignment, readSection } from './unit-file.ts';
import { parseUnitBoolean, parseUnitPolicy, type UnitPolicy } from './unit-policy.ts';

/** What the files of a unit say about who may deploy it, besides `AutoUpdate=`. */
export type FileMarks = {
  readonly hasPolicy: boolean;
  readonly webhookEnabled: boolean | null;
  /** What is wrong with its section `[X-PodUp]`; null: nothing. */
  readonly fault: string | null;
};

/** Where `X-Webhook-Enabled=` may stand: systemd ignores keys that begin like this. */
const SECTIONS = ['Unit', 'Service', 'Container', 'Kube', 'Install'] as const;

/**
 * Reads the marks of a unit out of its files, in the order in which they count. A policy that cannot be read, or a word
 * that is neither yes nor no, opts nothing in: it turns webhooks off until it is mended.
 */
export function readMarks(texts: readonly string[], defaults: UnitPolicy): FileMarks {
  const section = texts.flatMap((text) => readSection(text, 'X-PodUp'));
  const policy = parseUnitPolicy(texts, { ...defaults, webhookEnabled: null });
  const word = lastOf(
    texts.flatMap((text) => SECTIONS.flatMap((name) => readSection(text, name))),
    'X-Webhook-Enabled',
  );
  const fault = policy.ok ? null : policy.failure.detail;
  const hasPolicy = section.length > 0;
  if (!policy.ok) return { hasPolicy, webhookEnabled: false, fault };
  const said = policy.value.webhookEnabled ?? readWord(word);
  return { hasPolicy, webhookEnabled: said, fault };
}

function readWord(word: string | undefined): boolean | null {
  return word === undefined || word === '' ? null : (parseUnitBoolean(word) ?? false);
}

/** The last value of a key. */
export function lastOf(assignments: readonly Assignment[], key: string): string | undefined {
  return assignments.findLast((one) => one.key === key)?.value;
}
