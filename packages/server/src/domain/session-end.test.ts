import { expect, test } from 'vitest';
import { comeBack, spawnAgain } from './session-end.ts';

const session = {
  provider: 'claude',
  agentId: 'Worker',
  cwd: '/srv/app',
  mode: 'agentic',
  ask: false,
  model: null,
  nodeId: 'node_1',
  vendorSessionId: null,
  sandbox: 'none',
} as const;
const open = { approval: 'open' } as const;

test('the command that brings an agent back works as it is printed, whatever its folder is called', () => {
  expect(spawnAgain(session, open)).toBe('agent-relay spawn claude --name Worker --cwd /srv/app --no-ask --approval open --node node_1');
  expect(spawnAgain({ ...session, cwd: "/srv/Ann's $HOME", mode: 'safe' }, open)).toBe(
    `agent-relay spawn claude --name Worker --cwd '/srv/Ann'\\''s $HOME' --mode safe --approval open --node node_1`,
  );
  expect(spawnAgain({ ...session, cwd: null }, open)).toBe('agent-relay spawn claude --name Worker --no-ask --approval open --node node_1');
});

test('one that was kept in a sandbox comes back in it', () => {
  expect(spawnAgain({ ...session, sandbox: 'bwrap' }, open)).toMatch(/ --node node_1 --sandbox bwrap$/u);
});

test('its conversation comes back with it where its vendor keeps that', () => {
  expect(spawnAgain({ ...session, vendorSessionId: 'thread-1' }, open)).toMatch(/ --node node_1 --resume$/u);
});

test('it brings the agent back as it was: with its approval, its asking, its model, on its machine', () => {
  expect(spawnAgain({ ...session, ask: true, model: 'opus 4' }, { approval: 'read-only' })).toBe(
    "agent-relay spawn claude --name Worker --cwd /srv/app --ask --approval read-only --model 'opus 4' --node node_1",
  );
});

test('one that had dialled in is no command of ours: it dials again, from where only its owner knows', () => {
  expect(comeBack(session, open)).toBe(`To start it again: ${spawnAgain(session, open)}`);
  expect(comeBack({ ...session, dialledIn: true }, open)).toBe(
    'It had dialled in: dial again where it ran, with its token or with what this prints: agent-relay token dial-in Worker',
  );
});
