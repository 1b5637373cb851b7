import type { Provider, ProviderAvailability } from 'agent-relay-provider';
import { expect, test } from 'vitest';
import { Catalogue } from './catalogue.ts';

function looked(about: Partial<Provider> = {}) {
  const waiting: ((found: ProviderAvailability) => void)[] = [];
  const provider: Provider = {
    id: 'acme',
    detect: () => new Promise((resolve) => waiting.push(resolve)),
    start: () => Promise.reject(new Error('nothing starts here')),
    close: async () => {},
    ...about,
  };
  const clock = { at: 0, now: () => clock.at };
  const catalogue = new Catalogue({ clock, kindsOf: async () => ['bwrap'], environmentFor: () => ({}) });
  return { waiting, clock, look: (maxAgeMs: number) => catalogue.look(provider, maxAgeMs) };
}
const version = (text: string): ProviderAvailability => ({ available: true, version: text, command: '/acme' });

test('a program is looked for once for all who ask meanwhile, and again when the last look is too old', async () => {
  const { waiting, clock, look } = looked();
  const both = [look(0), look(0)];
  expect(waiting).toHaveLength(1);
  waiting[0]?.(version('1.0'));
  const first = { id: 'acme', available: true, version: '1.0', reason: null };
  expect(await Promise.all(both)).toEqual([first, first]);
  clock.at = 999;
  expect(await look(1000)).toEqual(first);
  clock.at = 1000;
  const again = look(1000);
  waiting[1]?.(version('2.0'));
  expect(await again).toMatchObject({ version: '2.0' });
});

test('what a provider says of its abilities is told whether its program is there or not', async () => {
  const abilities = { steer: 'joins', approvals: true, diffs: false, modes: ['safe'] } as const;
  const { waiting, look } = looked({ name: 'Acme', resumes: true, abilities });
  const asked = look(0);
  waiting[0]?.({ available: false, reason: 'Acme is not installed' });
  expect(await asked).toEqual({
    id: 'acme',
    name: 'Acme',
    available: false,
    version: null,
    reason: 'Acme is not installed',
    abilities: { ...abilities, resume: true, sandbox: ['bwrap'] },
  });
});
