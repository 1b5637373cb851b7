import type { Principal, Session } from 'agent-relay-protocol';
import { describe, expect, it } from 'vitest';
import { assertMayControl, assertMayWatch, spawnTerms } from './spawn-rules.ts';

const session = (mode: Session['mode'], cwd: string | null, ask = false): Session => ({
  sessionId: 's',
  agentId: 'Lead',
  nodeId: 'n',
  provider: 'claude',
  instanceId: 'i',
  epoch: 1,
  status: 'running',
  mode,
  ask,
  cwd,
  model: null,
  spawnedBy: null,
  startedAt: 0,
  endedAt: null,
  reason: null,
  vendorSessionId: null,
  sandbox: 'none',
  sandboxReason: null,
});

describe('the terms of a spawn', () => {
  it('a person may ask for anything, and gets agentic without asking', () => {
    expect(spawnTerms({}, null)).toEqual({ cwd: null, within: null, mode: 'agentic', approval: 'open', ask: false });
    expect(spawnTerms({ cwd: '/x', mode: 'unrestricted', approval: 'guarded' }, null)).toEqual({
      cwd: '/x',
      within: null,
      mode: 'unrestricted',
      approval: 'guarded',
      ask: false,
    });
  });

  it('what a program that dialled in says of itself gives it nothing on a machine of the relay', () => {
    const guest = { session: { ...session('unrestricted', '/'), dialledIn: true }, approval: 'open' } as const;
    expect(spawnTerms({}, guest)).toMatchObject({ cwd: null, within: null, mode: 'agentic' });
    expect(() => spawnTerms({ cwd: '/root/.ssh' }, guest)).toThrow('may not name a folder');
    expect(() => spawnTerms({ mode: 'unrestricted' }, guest)).toThrow('may not start one in mode unrestricted');
    const careful = { session: { ...session('safe', '/'), dialledIn: true }, approval: 'open' } as const;
    expect(spawnTerms({}, careful).mode).toBe('safe');
  });

  it('a person may have it ask people; an agent passes that on only when it may itself, and less when it says so', () => {
    expect(spawnTerms({ ask: true }, null).ask).toBe(true);
    const asking = { session: session('agentic', '/x', true), approval: 'open' } as const;
    expect([spawnTerms({}, asking).ask, spawnTerms({ ask: true }, asking).ask, spawnTerms({ ask: false }, asking).ask]).toEqual([
      true,
      true,
      false,
    ]);
    const silent = { session: session('agentic', '/x'), approval: 'open' } as const;
    expect(spawnTerms({}, silent).ask).toBe(false);
    expect(() => spawnTerms({ ask: true }, silent)).toThrow('may not start one that asks');
    expect(() => spawnTerms({ ask: true }, { session: null, approval: 'open' })).toThrow('may not start one that asks');
  });

  it('an agent passes on its folder, and no more than its own mode and approval', () => {
    const spawner = { session: session('safe', '/home/ada'), approval: 'guarded' } as const;
    expect(spawnTerms({ cwd: '/home/ada/app' }, spawner)).toEqual({
      cwd: '/home/ada/app',
      within: '/home/ada',
      mode: 'safe',
      approval: 'guarded',
      ask: false,
    });
    expect(() => spawnTerms({ mode: 'agentic' }, spawner)).toThrow(expect.objectContaining({ code: 'forbidden' }));
    expect(() => spawnTerms({ approval: 'open' }, spawner)).toThrow(expect.objectContaining({ code: 'forbidden' }));
    expect(spawnTerms({ approval: 'read-only' }, spawner).approval).toBe('read-only');
  });

  it('an unrestricted agent starts agentic ones unless it says otherwise', () => {
    const spawner = { session: session('unrestricted', '/home/ada'), approval: 'open' } as const;
    expect(spawnTerms({}, spawner).mode).toBe('agentic');
    expect(spawnTerms({ mode: 'unrestricted' }, spawner).mode).toBe('unrestricted');
  });

  it('an agent that runs nowhere of ours names no folder', () => {
    const spawner = { session: null, approval: 'open' } as const;
    expect(() => spawnTerms({ cwd: '/etc' }, spawner)).toThrow(expect.objectContaining({ code: 'forbidden' }));
    expect(spawnTerms({}, spawner)).toEqual({ cwd: null, within: null, mode: 'agentic', approval: 'open', ask: false });
  });
});

describe('who may do what to a running agent', () => {
  const workspace = 'default';
  const owner: Principal = { type: 'owner', workspace };
  const agent = (agentId: string): Principal => ({ type: 'agent', workspace, agentId, epoch: 1 });
  const may = (run: () => void) => {
    try {
      run();
      return true;
    } catch {
      return false;
    }
  };

  it.each([
    [owner, true, true, true],
    [agent('Lead'), true, true, true],
    [agent('Worker'), true, false, true],
    [agent('Other'), false, false, false],
    [{ type: 'node', workspace, nodeId: 'n' } satisfies Principal, false, false, true],
    [{ type: 'node', workspace, nodeId: 'another' } satisfies Principal, false, false, false],
  ])('%o may release: %s, interrupt: %s, watch: %s', (principal, release, interrupt, watch) => {
    expect(may(() => assertMayControl(principal, 'Worker', 'Lead', 'release'))).toBe(release);
    expect(may(() => assertMayControl(principal, 'Worker', 'Lead', 'interrupt'))).toBe(interrupt);
    expect(may(() => assertMayWatch(principal, { agentId: 'Worker', spawnedBy: 'Lead', nodeId: 'n' }))).toBe(watch);
  });
});

it('what an agent in a sandbox starts is in one as well, whatever it asks for', () => {
  const spawner = { session: { ...session('agentic', '/work'), sandbox: 'bwrap' }, approval: 'open' } as const;
  expect(spawnTerms({}, spawner)).toMatchObject({ sandbox: 'os' });
  expect(spawnTerms({ sandbox: 'bwrap' }, spawner)).toMatchObject({ sandbox: 'bwrap' });
  for (const sandbox of ['none', 'auto'] as const)
    expect(() => spawnTerms({ sandbox }, spawner)).toThrow(expect.objectContaining({ code: 'forbidden' }));
  expect(spawnTerms({}, { session: session('agentic', '/work'), approval: 'open' })).not.toHaveProperty('sandbox');
  expect(spawnTerms({ sandbox: 'auto' }, null)).toMatchObject({ sandbox: 'auto' });
});
