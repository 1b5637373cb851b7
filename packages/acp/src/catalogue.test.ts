import { expect, test } from 'vitest';
import { acpAgents } from './catalogue.ts';

test('each row is found by its id, says how it is installed, and claims no fence that its evidence does not carry', () => {
  for (const [id, agent] of Object.entries(acpAgents)) {
    expect(id).toBe(agent.id);
    expect(agent.install).toMatch(/^(?:with `.+`|as https:\/\/)/u);
    expect(agent.fence === 'none' || agent.evidence === 'run').toBe(true);
  }
});

test('what Gemini runs outside as well does not stay of a session in a sandbox: its own programs, its repositories', () => {
  const { scratch = [], write = [] } = acpAgents.gemini.homeFiles ?? {};
  expect([scratch.includes('.gemini/tmp/bin'), write]).toEqual([true, ['.gemini/tmp']]);
});

test('what stays of a session in a sandbox is a part of its vendor’s folder alone: the rest holds what the user’s own runs later', () => {
  for (const { id, homeFiles: { scratch = [], write = [] } = {} } of Object.values(acpAgents))
    for (const path of write)
      expect(
        scratch.some((folder) => path.startsWith(`${folder}/`)),
        `${id} ${path}`,
      ).toBe(true);
});
