import { BlockList, isIP } from 'node:net';

/** Addresses that a hook may be called from. */
export type SourceNetworks = {
  /** False for what is no address, too. */
  has(address: string | undefined): boolean;
};

/** Any address, where a hook names none. */
const ANYWHERE: SourceNetworks = { has: () => true };

/** Those in any of the networks (`10.0.0.0/8`, `2001:db8::/32`, or one address). What is none of them is left out. */
export function openSourceNetworks(networks: readonly string[]): SourceNetworks {
  if (networks.length === 0) return ANYWHERE;
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = familyOf(address);
    if (family === undefined) continue;
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return {
    has(address) {
      const plain = toPlain(address ?? '');
      const family = familyOf(plain);
      return family !== undefined && list.check(plain, family);
    },
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 4 ? 'ipv4' : 'ipv6';
}

/** A socket that listens on `::` shows IPv4 as `::ffff:192.0.2.1`, and the zone of a link-local address is no part of it. */
function toPlain(address: string): string {
  const [bare = ''] = address.split('%');
  const mapped = /^::ffff:(?=\d+\.)/i;
  return bare.replace(mapped, '');
}
