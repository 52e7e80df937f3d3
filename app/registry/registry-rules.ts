import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
} from '../domain/image-reference.ts';

/** One `[[registry]]` table of containers-registries.conf(5), as far as it decides where a tag is looked up. */
export type RegistryRule = {
  readonly prefix: string;
  /** What takes the place of the prefix; empty where nothing does. */
  readonly location: string;
  /** Plain http and certificates that cannot be verified are allowed. */
  readonly insecure: boolean;
  readonly blocked: boolean;
};

/** The rules of this host. Their order means nothing: the longest prefix decides. */
export type RegistryRules = readonly RegistryRule[];

/** Where an image really lies, and how its registry may be spoken to. */
export type ImageLocation = { readonly image: ImageReference; readonly insecure: boolean };

/**
 * Reads `.registries` of `podman info --format json`: an object from prefix to rule. Its one list, `search`, is left
 * out because we have no short names. Mirrors are left out too: what a tag means is decided by the registry that
 * holds it, and a mirror may lag behind.
 */
export function parseRegistryRules(raw: unknown): RegistryRules {
  if (typeof raw !== 'object' || raw === null) return [];
  return Object.entries(raw).flatMap(([key, entry]: [string, unknown]) => {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return [];
    const rule = entry as Readonly<Record<string, unknown>>;
    return [
      {
        prefix: textOf(rule['Prefix']) || key,
        location: textOf(rule['Location']),
        insecure: rule['Insecure'] === true,
        blocked: rule['Blocked'] === true,
      },
    ];
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The rule with the longest prefix that the image lies under; undefined where none does. */
export function ruleFor(rules: RegistryRules, image: ImageReference): RegistryRule | undefined {
  let longest: RegistryRule | undefined;
  for (const rule of rules) {
    const longer = rule.prefix.length > (longest?.prefix.length ?? 0);
    if (longer && matchedLength(rule.prefix, image) > 0) longest = rule;
  }
  return longest;
}

/**
 * How much of the written image the prefix covers; 0 when it does not match. It must end where a component ends, so a
 * host without a port does not stand for the same host with one, while `*.example.com`, which cannot name a port,
 * stands for every subdomain at every port.
 */
function matchedLength(prefix: string, image: ImageReference): number {
  if (prefix.startsWith('*.')) {
    const host = image.registry.replace(/:\d+$/, '');
    return host.endsWith(prefix.slice(1)) && host.length >= prefix.length ? host.length : 0;
  }
  const text = formatImageReference(image);
  const next = text.charAt(prefix.length);
  const ends = prefix.includes('/') ? ['', '/', ':', '@'] : ['/'];
  return text.startsWith(prefix) && ends.includes(next) ? prefix.length : 0;
}

/**
 * Applies the rules of this host: where the image really lies. Fails with REGISTRY_BLOCKED where a rule blocks it, or
 * moves it to what is no image name (podman refuses that too).
 */
export function locateImage(rules: RegistryRules, image: ImageReference): Outcome<ImageLocation> {
  const rule = ruleFor(rules, image);
  if (!rule) return succeed({ image, insecure: false });
  if (rule.blocked) return fail('REGISTRY_BLOCKED', `The rule for ${rule.prefix} blocks it.`);
  if (rule.location === '') return succeed({ image, insecure: rule.insecure });
  const rest = formatImageReference(image).slice(matchedLength(rule.prefix, image));
  const moved = parseImageReference(rule.location + rest);
  // A location without a host would be read as one of Docker Hub; then it does not read back as it was written.
  if (!moved || formatImageReference(moved) !== rule.location + rest) {
    return fail(
      'REGISTRY_BLOCKED',
      `The rule for ${rule.prefix} moves it to ${rule.location}, which gives no image name.`,
    );
  }
  return succeed({ image: moved, insecure: rule.insecure });
}
