import { BlockList, isIP } from 'node:net';

type Range = { readonly address: string; readonly prefix: number; readonly type: 'ipv4' | 'ipv6' };

/** Addresses and CIDR ranges, separated by commas or white space, as they were written; undefined where one is neither. */
export function parseAddressRanges(raw: string): readonly string[] | undefined {
  const texts = raw.split(/[\s,]+/).filter((word) => word !== '');
  return texts.every((text) => readRange(text)) ? texts : undefined;
}

/** Tells whether an address is in one of the ranges, also where an IPv4 one is written as an IPv6 one. */
export function matchAddresses(
  ranges: readonly string[],
): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const text of ranges) {
    const range = readRange(text);
    if (range) list.addSubnet(range.address, range.prefix, range.type);
  }
  return (address = '') => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}

function readRange(text: string): Range | undefined {
  const [, address = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const prefix = digits === undefined ? most : Number(digits);
  // A zone (`fe80::1%eth0`) means something on one host only.
  if (version === 0 || prefix > most || address.includes('%')) return undefined;
  return { address, prefix, type: version === 4 ? 'ipv4' : 'ipv6' };
}
