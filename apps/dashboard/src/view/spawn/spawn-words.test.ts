import { expect, test } from 'vitest';
import { allowedOf, modelsOf, providersOf, saysWhatHappens } from './spawn-words.ts';

const offer = (id: string, available: boolean) => ({
  id,
  available,
  version: available ? '2.1' : null,
  reason: available ? null : `npm i ${id}`,
});

test('of a kind that several machines have, the one that can start is offered, and what can start comes first', () => {
  const machines = [{ providers: [offer('codex', false), offer('claude', false)] }, { providers: [offer('claude', true)] }];
  expect(providersOf(machines)).toEqual([offer('claude', true), offer('codex', false)]);
});

test('the models to choose from are those that agents of the kind have worked with, the most used first', () => {
  const used = [
    { provider: 'claude', model: 'sonnet', turns: 2 },
    { provider: 'claude', model: 'opus', turns: 3 },
    { provider: 'codex', model: 'gpt', turns: 9 },
    { provider: 'claude', model: 'sonnet', turns: 2 },
    { provider: 'claude', model: null, turns: 50 },
  ];
  expect(modelsOf('claude', used)).toEqual(['sonnet', 'opus']);
  expect([modelsOf('gemini', used), modelsOf(undefined, used)]).toEqual([[], []]);
});

test('the form says what will happen where, and why it cannot', () => {
  const plan = { offer: offer('claude', true), machine: { name: 'laptop' }, isAnyMachine: false, mode: 'agentic', cwd: '' };
  expect(saysWhatHappens(plan)).toBe('Starts claude 2.1 on laptop, in a fresh folder; it may work in its folder.');
  expect(saysWhatHappens({ ...plan, isAnyMachine: true, cwd: '/srv/app', mode: 'safe' })).toBe(
    'Starts claude 2.1 on a machine that has claude, in /srv/app; it may use no tools.',
  );
  expect(saysWhatHappens({ ...plan, offer: offer('codex', false) })).toBe('npm i codex');
  expect(saysWhatHappens({ ...plan, isInSandbox: true })).toBe(
    'Starts claude 2.1 on laptop, in a fresh folder, in a sandbox; it may work in its folder.',
  );
  expect(saysWhatHappens({ ...plan, offer: undefined })).toContain('No program of an agent is installed');
});

test('what may be chosen is what the kind of agent can do and the owner of the machine allows', () => {
  const modes = ['safe', 'agentic', 'unrestricted'] as const;
  expect(allowedOf(modes, undefined, undefined)).toEqual(modes);
  expect(allowedOf(modes, ['safe', 'agentic'], ['agentic', 'unrestricted'])).toEqual(['agentic']);
  expect(allowedOf(modes, [])).toEqual([]);
});
