import type { Agent, RegisterAgent } from 'agent-relay-protocol';

export interface RegistrationFound {
  readonly agent: Agent | null;
  /** The last epoch of this address, also before it was pruned. */
  readonly epoch: number;
}

/** Where a session runs, when a node hosts it. */
export interface Hosting {
  readonly nodeId: string;
  readonly sessionId: string;
}

export interface Registration {
  readonly agent: Agent;
  readonly isNew: boolean;
  /** An older session, if there was one, is fenced off from now on. */
  readonly beginsSession: boolean;
}

/**
 * What a registration makes of an address. The same instance keeps its epoch and only updates; another one begins the next epoch; none names
 * no session and updates what is there. What is not said stays as it was.
 */
export function registerAgent(
  found: RegistrationFound,
  input: RegisterAgent & { readonly id: string },
  hosting: Hosting | null,
  now: number,
): Registration {
  const { agent: current } = found;
  const instanceId = input.instanceId ?? current?.instanceId ?? null;
  const beginsSession = current === null || instanceId !== current.instanceId;
  const host = hosting ?? (beginsSession ? null : current);
  const status = input.status ?? (current === null || current.status === 'offline' || beginsSession ? 'online' : current.status);
  const agent: Agent = {
    id: input.id,
    name: input.name,
    kind: input.kind ?? current?.kind ?? 'provider',
    label: input.label === undefined ? (current?.label ?? null) : input.label,
    tags: unique(input.tags ?? current?.tags ?? []),
    capabilities: unique(input.capabilities ?? current?.capabilities ?? []),
    channels: input.channels === undefined ? (current?.channels ?? null) : input.channels && unique(input.channels),
    machine: input.machine ?? current?.machine ?? null,
    rig: input.rig ?? current?.rig ?? null,
    provider: input.provider ?? current?.provider ?? null,
    status,
    ready: input.ready ?? (beginsSession ? true : (current?.ready ?? true)),
    approval: input.approval ?? current?.approval ?? 'open',
    instanceId,
    epoch: beginsSession ? found.epoch + 1 : (current?.epoch ?? found.epoch),
    protected: beginsSession ? false : (current?.protected ?? false),
    nodeId: host?.nodeId ?? null,
    sessionId: host?.sessionId ?? null,
    meta: input.meta ?? current?.meta ?? {},
    registeredAt: current?.registeredAt ?? now,
    lastSeenAt: now,
  };
  return { agent, isNew: current === null, beginsSession };
}

/** Whether two cards say the same, the time they were last seen apart. */
export const isSameCard = (one: Agent, other: Agent): boolean =>
  JSON.stringify({ ...one, lastSeenAt: 0 }) === JSON.stringify({ ...other, lastSeenAt: 0 });

const unique = (names: readonly string[]): string[] => [...new Set(names)];
