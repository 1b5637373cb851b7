/** The blocks that are nobody's on the public internet: this host, private and link-local networks, and what is reserved. */
export const privateNetworks: readonly (readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
];

/**
 * IPv6 the other way round: only global unicast (2000::/3) is public, without the parts of it that carry an IPv4 address of anybody's
 * choosing (6to4, and Teredo among the blocks of special protocols) or are documentation.
 */
export const publicIpv6 = ['2000::', 3] as const;
export const notPublicIpv6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

/** Whose an address is as far as bounds are concerned: of IPv6 the /64, of which one machine has as many addresses as it likes. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/iu.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('::', 2);
  const [heads, tails] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const between = Array.from({ length: Math.max(0, 8 - (heads?.length ?? 0) - (tails?.length ?? 0)) }, () => '0');
  const groups = [...(heads ?? []), ...between, ...(tails ?? [])];
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/u, ''))
    .join(':');
}
