const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** A host has a whole network of so many bits (RFC 4291 §2.5.1), and takes what addresses of it it likes. */
const HOST_BITS = 64;
const GROUPS = 8;

/**
 * What addresses are counted as one caller: an IPv4 address alone, also where it is written as IPv6, and an IPv6 address
 * with all of its /64, written as `PREFIX::/64`. What is no address is one group of its own, by its first 100 characters.
 */
export function addressGroup(address: string): string {
  const plain = address.replace(/%.*$/, '').toLowerCase();
  const mapped = MAPPED.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!plain.includes(':')) return plain.slice(0, 100);
  // It has a prefix of its own wherever it is: no other host is reached by it.
  if (plain === '::1') return plain;
  const [head = '', tail] = plain.split('::');
  const before = splitGroups(head);
  const after = tail === undefined ? [] : splitGroups(tail);
  const zeros = Array<string>(Math.max(0, GROUPS - before.length - after.length)).fill('0');
  const prefix = [...before, ...zeros, ...after].slice(0, HOST_BITS / 16);
  return `${prefix.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/${HOST_BITS}`;
}

function splitGroups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
