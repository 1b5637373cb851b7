import { describe, expect, test } from 'vitest';
import { createAddressGuard, isPublicAddress } from './address-guard.ts';

describe('only addresses of the public internet are reached without leave', () => {
  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fe80::1',
    'fc00::1',
    'fdff::1',
    'ff02::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:20::1',
    '3fff::1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b:1::1',
    'fec0::1',
    'fe80::1%eth0',
    '192.0.0.8',
    'not an address',
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));

  test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '172.15.255.255', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450:4001::1'])(
    '%s is',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
});

describe('the operator may allow', () => {
  const guard = createAddressGuard(['hooks.internal', '10.0.0.0/8', '192.168.1.5', 'fd00::/8']);
  test.each([
    ['10.9.9.9', 'x', true],
    ['192.168.1.5', 'x', true],
    ['192.168.1.6', 'x', false],
    ['fd12::1', 'x', true],
    ['fe80::1', 'x', false],
    ['127.0.0.1', 'hooks.internal', true],
    ['127.0.0.1', 'HOOKS.internal', true],
    ['127.0.0.1', 'other.internal', false],
  ] as const)('%s for the host %s: %s', (address, host, isAllowed) => expect(guard.allows(address, host)).toBe(isAllowed));

  test('everything', () => expect(createAddressGuard('all').allows('127.0.0.1', 'x')).toBe(true));
});
