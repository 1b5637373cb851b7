import { expect, test } from 'vitest';
import { acpAgents } from './catalogue.ts';

test('each row is found by its id, says how it is installed, and claims no fence that its evidence does not carry', () => {
  for (const [id, agent] of Object.entries(acpAgents)) {
    expect(id).toBe(agent.id);
    expect(agent.install).toMatch(/^(?:with `.+`|as https:\/\/)/u);
    expect(agent.fence === 'none' || agent.evidence === 'run').toBe(true);
  }
});
