import { isLoopbackAddress } from 'agent-relay-wire/node';
import { literalAddressOf } from '../integrations-config.ts';
import type { AddressGuard } from './address-guard.ts';

/**
 * What is wrong with an address that pushes are to go to; null when nothing is. A name is looked at again each time it is resolved. Plain HTTP is for
 * this machine alone, where the operator allows it.
 */
export function pushEndpointFault(endpoint: string, guard: AddressGuard): string | null {
  const { protocol, username, password } = new URL(endpoint);
  if (username !== '' || password !== '') return 'must have no user name';
  const address = literalAddressOf(endpoint);
  const isHere = address !== null && isLoopbackAddress(address);
  if (protocol !== 'https:' && !(protocol === 'http:' && isHere)) return 'must begin with https://';
  return address === null || guard.allows(address, address)
    ? null
    : `${address} is not public: allow it with AGENT_RELAY_CALLBACK_ALLOW_PRIVATE`;
}
