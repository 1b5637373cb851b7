import { RELAY_VERSION } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { createSpeech } from './speech.ts';

const providers = [
  { id: 'claude', available: true, version: '2.1', reason: null },
  { id: 'codex', available: false, version: null, reason: 'Codex is not installed: run npm install -g @openai/codex.' },
];
const attached = { type: 'attached', nodeId: 'machine-1', name: 'laptop', providers, relayVersion: RELAY_VERSION, agents: [] } as const;

function spoken() {
  const lines: string[] = [];
  return { lines, tell: createSpeech(new URL('https://relay.example'), (line) => lines.push(line)) };
}

test('a person reads where this machine is connected, what it can start, and what runs', () => {
  const { lines, tell } = spoken();
  tell(attached);
  tell({ type: 'agentStarted', agentId: 'worker', provider: 'claude' });
  tell({ type: 'agentEnded', agentId: 'worker', reason: 'Released by the owner' });
  expect(lines).toEqual([
    'Connected to https://relay.example as laptop (machine-1).',
    'Ready: claude 2.1.',
    'Not here: codex. Codex is not installed: run npm install -g @openai/codex.',
    'Dashboard: https://relay.example/',
    'worker started (claude).',
    'worker ended: Released by the owner.',
  ]);
});

test('where much could be installed, one line names it', () => {
  const { lines, tell } = spoken();
  const missing = ['codex', 'gemini', 'goose', 'vibe'].map((id) => ({ id, available: false, version: null, reason: 'Install it.' }));
  tell({ ...attached, providers: [...providers.slice(0, 1), ...missing] });
  expect(lines[2]).toBe('Not here: codex, gemini, goose, vibe. How to install each: agent-relay providers');
});

test('a relay that is away is told of once, until it was there again', () => {
  const { lines, tell } = spoken();
  const unreachable = { type: 'unreachable', reason: 'Cannot reach the relay' } as const;
  for (const status of [unreachable, unreachable, { ...attached, agents: ['worker'], relayVersion: '0.0.9' }] as const) tell(status);
  for (const status of [{ type: 'lost' }, unreachable, attached, unreachable] as const) tell(status);
  expect(lines.filter((line) => !/^(?:Connected|Ready|Not here|Dashboard)/u.test(line))).toEqual([
    'Cannot reach the relay. Trying again.',
    `The relay is version 0.0.9, this program ${RELAY_VERSION}: update the older one.`,
    'Running: worker.',
    'The relay is gone. The agents go on; connecting again.',
    'Cannot reach the relay. Trying again.',
  ]);
});
