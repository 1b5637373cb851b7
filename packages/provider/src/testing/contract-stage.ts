import type { AgentEvent, ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import type { AgentSession, OwnedProcess, StartOptions } from '../contract.ts';
import { EventLog } from './event-log.ts';
import { brokenEventRules } from './event-rules.ts';
import type { ProviderAbilities, ProviderHarness } from './provider-harness.ts';

export interface Started {
  readonly session: AgentSession;
  readonly log: EventLog;
}

/** What the tests of a group stand on. */
export interface ContractStage {
  readonly harness: () => ProviderHarness;
  readonly options: (mode?: SpawnMode, more?: Partial<StartOptions>) => StartOptions;
  readonly start: (mode?: SpawnMode, more?: Partial<StartOptions>) => Promise<Started>;
  /** That were started so far. */
  readonly processes: () => OwnedProcess[];
}

/** There the sessions of a mode and a way of approval are one. */
export interface SharedStage {
  readonly harness: () => ProviderHarness;
  readonly start: (mode?: SpawnMode, approval?: ApprovalMode) => Promise<Started>;
}

/** A harness for each test. After each, its sessions are held against the contract's rules, and no process may be left. */
export function stageForEach(abilities: ProviderAbilities, makeHarness: () => Promise<ProviderHarness>): ContractStage {
  let world: World;
  beforeEach(async () => {
    world = new World(abilities, await makeHarness());
  });
  afterEach(() => world.close());
  return {
    harness: () => world.harness,
    options: (mode, more) => world.options(mode, more),
    start: (mode, more) => world.start(mode, more),
    processes: () => world.processes,
  };
}

/**
 * One harness for all tests of a group, and one session for those of its kind that follow each other: most of what a test takes is the start of the
 * vendor's program. A test sees the events of its own time; after one that failed the next gets a session of its own.
 */
export function stageForAll(abilities: ProviderAbilities, makeHarness: () => Promise<ProviderHarness>): SharedStage {
  let world: World;
  let shared: (Started & Pick<StartOptions, 'mode' | 'approval'>) | undefined;
  beforeAll(async () => {
    world = new World(abilities, await makeHarness());
  });
  const leave = async () => {
    await shared?.session.close();
    shared = undefined;
  };
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await leave();
    else if (shared) await world.rest(shared.log);
  });
  afterAll(() => world.close());
  return {
    harness: () => world.harness,
    start: async (asked, approval = 'open') => {
      const { mode } = world.options(asked);
      if (shared?.mode !== mode || shared.approval !== approval) await leave();
      shared ??= { ...(await world.start(mode, { approval })), mode, approval };
      return shared;
    },
  };
}

class World {
  readonly processes: OwnedProcess[] = [];
  readonly harness: ProviderHarness;
  readonly #usual: SpawnMode;
  readonly #sessions: { readonly session: AgentSession; readonly log: EventLog; readonly earlier: AgentEvent[] }[] = [];

  constructor({ isFreeOnly }: ProviderAbilities, harness: ProviderHarness) {
    this.harness = harness;
    this.#usual = isFreeOnly ? 'unrestricted' : 'agentic';
  }

  options(mode: SpawnMode = this.#usual, more: Partial<StartOptions> = {}): StartOptions {
    const { cwd, mcp = [], env } = this.harness;
    return {
      agentId: 'contract-agent',
      sessionId: 'contract-session',
      cwd,
      mode,
      approval: 'open',
      instructions: 'You are part of a contract test.',
      mcp,
      env,
      onProcess: (process) => this.processes.push(process),
      ...more,
    };
  }

  async start(mode?: SpawnMode, more?: Partial<StartOptions>): Promise<Started> {
    const session = await this.harness.provider.start(this.options(mode, more));
    const log = new EventLog(session);
    this.#sessions.push({ session, log, earlier: [] });
    return { session, log };
  }

  /** Waits until nothing runs in a session any more; whoever looks at its events next sees none of these. */
  async rest(log: EventLog): Promise<void> {
    await log.until(() => isAtRest(log), 'the end of what a test began');
    this.#sessions.find((each) => each.log === log)?.earlier.push(...log.events.splice(0));
  }

  async close(): Promise<void> {
    try {
      for (const { session } of this.#sessions) await session.close();
      await this.harness.provider.close();
      for (const { log, earlier } of this.#sessions) {
        await log.finished;
        expect(brokenEventRules([...earlier, ...log.events])).toEqual([]);
      }
      for (const { pid } of this.processes) await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 60_000 });
    } finally {
      await this.harness.close();
    }
  }
}

function isAtRest(log: EventLog): boolean {
  const ended = log.ofType('turn.completed').length + log.ofType('turn.failed').length;
  const status = log.ofType('session.status').at(-1)?.status ?? 'idle';
  return log.ofType('turn.started').length === ended && status === 'idle';
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: there is no such process any more
  }
}
