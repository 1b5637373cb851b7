import { expect, test } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import { pushEndpointFault } from './push-endpoint.ts';

const [strict, open, some] = [createAddressGuard([]), createAddressGuard('all'), createAddressGuard(['10.0.0.0/8'])];

test.each([
  ['https://push.example/x', strict, null],
  ['https://8.8.8.8/x', strict, null],
  ['http://push.example/x', strict, 'must begin with https://'],
  ['http://push.example/x', open, 'must begin with https://'],
  ['ftp://push.example/x', open, 'must begin with https://'],
  ['http://10.1.1.1/x', some, 'must begin with https://'],
  ['https://10.1.1.1/x', some, null],
  ['https://user@push.example/x', open, 'must have no user name'],
  ['http://127.0.0.1:1/x', open, null],
  ['http://[::1]:1/x', open, null],
  ['http://127.0.0.1:1/x', strict, '127.0.0.1 is not public: allow it with AGENT_RELAY_CALLBACK_ALLOW_PRIVATE'],
  ['https://192.168.1.1/x', strict, '192.168.1.1 is not public: allow it with AGENT_RELAY_CALLBACK_ALLOW_PRIVATE'],
  ['https://0x7f.1/x', strict, '127.0.0.1 is not public: allow it with AGENT_RELAY_CALLBACK_ALLOW_PRIVATE'],
  ['https://[::ffff:10.0.0.1]/x', strict, '::ffff:a00:1 is not public: allow it with AGENT_RELAY_CALLBACK_ALLOW_PRIVATE'],
])('%s', (endpoint, guard, fault) => expect(pushEndpointFault(endpoint, guard)).toBe(fault));
