import { matchAddresses } from '../../shared/config/address-ranges.ts';

/** Whether a hook may be called from an address. */
export type SourceNetworks = (address: string | undefined) => boolean;

/** From those in any of the networks (`10.0.0.0/8`, `2001:db8::/32`, or one address); from anywhere where a hook names none. */
export function openSourceNetworks(networks: readonly string[]): SourceNetworks {
  return networks.length === 0 ? () => true : matchAddresses(networks);
}
