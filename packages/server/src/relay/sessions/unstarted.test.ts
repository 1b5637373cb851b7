import type { LogFields } from 'agent-relay-wire';
import { expect, test } from 'vitest';
import { registerAgent } from '../../domain/registration.ts';
import { silentLogger } from '../../logger.ts';
import { Unstarted } from './unstarted.ts';

test('an agent that cannot be removed now keeps nobody else, is told, and goes in the next round', async () => {
  const warned: unknown[] = [];
  const removed: string[] = [];
  let isFull = true;
  const unstarted = new Unstarted({
    agents: {
      remove: async (_workspace, id) => {
        if (isFull && id === 'One') throw new Error('database or disk is full');
        removed.push(id);
        return 0;
      },
    },
    clock: { now: () => 0, schedule: () => () => {} },
    log: { ...silentLogger, warn: (_message: string, fields?: LogFields) => warned.push(fields?.agentId) },
  });
  for (const id of ['One', 'Two']) {
    const { agent } = registerAgent({ agent: null, epoch: 0, isBound: false }, { id, name: id, status: 'offline' }, null, 0);
    unstarted.note('default', agent);
  }
  await unstarted.sweep(600_000);
  expect({ removed, warned }).toEqual({ removed: ['Two'], warned: ['One'] });
  isFull = false;
  await unstarted.sweep(610_000);
  await unstarted.sweep(620_000);
  expect({ removed, warned }).toEqual({ removed: ['Two', 'One'], warned: ['One'] });
});
