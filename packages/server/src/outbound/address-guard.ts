import { BlockList, isIP } from 'node:net';
import { notPublicIpv6, privateNetworks, publicIpv6 } from '../domain/network-address.ts';

export interface AddressGuard {
  /** Whether a connection to this address may be opened for this host. */
  allows(address: string, host: string): boolean;
}

const isPrivate4 = new BlockList();
for (const [network, prefix, family] of privateNetworks) isPrivate4.addSubnet(network, prefix, family);
const isGlobal6 = new BlockList();
isGlobal6.addSubnet(...publicIpv6, 'ipv6');
const isExcepted6 = new BlockList();
for (const [network, prefix] of notPublicIpv6) isExcepted6.addSubnet(network, prefix, 'ipv6');

/** Whether an address belongs to the public internet: not this host's, not a private or link-local network's, not reserved. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !isPrivate4.check(address, 'ipv4');
    case 6:
      return isGlobal6.check(address, 'ipv6') && !isExcepted6.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Lets public addresses through, and what the operator allows: everything, or the hosts, addresses and networks named. */
export function createAddressGuard(allowed: 'all' | readonly string[]): AddressGuard {
  if (allowed === 'all') return { allows: () => true };
  const hosts = new Set<string>();
  const networks = new BlockList();
  for (const entry of allowed) {
    const [network = '', prefix] = entry.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(network) === 0) hosts.add(entry);
    else networks.addSubnet(network, prefixOf(prefix, family), family);
  }
  const isNamed = (address: string) => networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return { allows: (address, host) => isPublicAddress(address) || hosts.has(host.toLowerCase()) || isNamed(address) };
}

function prefixOf(text: string | undefined, family: 'ipv4' | 'ipv6'): number {
  const longest = family === 'ipv4' ? 32 : 128;
  const prefix = text === undefined || !/^\d{1,3}$/u.test(text) ? longest : Number(text);
  return Math.min(prefix, longest);
}
