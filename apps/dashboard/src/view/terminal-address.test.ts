import { expect, test } from 'vitest';
import { isOfThisMachine, terminalAddress } from './terminal-address.ts';

test('a terminal is told an address that it can reach', () => {
  const at = (url: string) => terminalAddress(new URL(url) as unknown as Location); // of a place its address alone is read
  expect(at('http://relay-f300.localhost:4850/login')).toBe('http://127.0.0.1:4850');
  expect(at('https://relay.example.org/')).toBe('https://relay.example.org');
});

test('an address that leads nowhere elsewhere is known as one', () => {
  const names = ['relay-f300.localhost', '127.0.0.1', '[::1]', 'relay.example.org', '127.example.org', '192.168.1.7'];
  expect(names.filter((hostname) => isOfThisMachine({ hostname }))).toEqual(['relay-f300.localhost', '127.0.0.1', '[::1]']);
});
