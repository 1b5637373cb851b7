import { type Agent, type RegisterAgent, RelayError } from 'agent-relay-protocol';
import type { Change, NewEvent } from './change.ts';

export interface RegistrationFound {
  readonly agent: Agent | null;
  /** The last epoch of this address, also before it was pruned. */
  readonly epoch: number;
  readonly isBound: boolean;
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
 * @throws RelayError `validation_failed` when something that is not a channel says how it carries conversations.
 */
export function registerAgent(
  found: RegistrationFound,
  input: RegisterAgent & { readonly id: string },
  hosting: Hosting | null,
  now: number,
): Registration {
  const current = found.agent ?? newcomer(input.id, now);
  const instanceId = input.instanceId ?? current.instanceId;
  const beginsSession = found.agent === null || instanceId !== current.instanceId;
  const kind = input.kind ?? current.kind;
  const host = hosting ?? (beginsSession ? null : current);
  const agent: Agent = {
    ...current,
    name: input.name,
    kind,
    label: input.label === undefined ? current.label : input.label,
    tags: unique(input.tags ?? current.tags),
    capabilities: unique(input.capabilities ?? current.capabilities),
    channels: input.channels === undefined ? current.channels : input.channels && unique(input.channels),
    machine: input.machine ?? current.machine,
    rig: input.rig ?? current.rig,
    provider: input.provider ?? current.provider,
    ...carriage(kind, input, current),
    status: input.status ?? (beginsSession || current.status === 'offline' ? 'online' : current.status),
    ready: input.ready ?? (beginsSession || current.ready),
    approval: input.approval ?? current.approval,
    instanceId,
    epoch: beginsSession ? found.epoch + 1 : current.epoch,
    protected: isStillProtected(found, beginsSession),
    nodeId: host?.nodeId ?? null,
    sessionId: host?.sessionId ?? null,
    meta: input.meta ?? current.meta,
    lastSeenAt: now,
  };
  return { agent, isNew: found.agent === null, beginsSession };
}

/** By a token that a person made, or by that of the session that goes on. */
const isStillProtected = ({ agent, isBound }: RegistrationFound, beginsSession: boolean): boolean =>
  isBound || (agent !== null && !beginsSession && agent.protected);

/** How a channel carries conversations; nobody else does. */
function carriage(kind: Agent['kind'], input: RegisterAgent, current: Agent): Pick<Agent, 'transport' | 'direction'> {
  if (kind === 'channel') {
    return {
      transport: input.transport ?? current.transport ?? 'custom',
      direction: input.direction ?? current.direction ?? 'both',
    };
  }
  for (const path of ['transport', 'direction'] as const) {
    if (input[path] === undefined) continue;
    const message = 'Only an agent of kind channel has one';
    throw new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
  }
  return { transport: null, direction: null };
}

/** The card of an address that says nothing about itself. */
const newcomer = (id: string, now: number): Agent => ({
  id,
  name: id,
  kind: 'provider',
  label: null,
  tags: [],
  capabilities: [],
  channels: null,
  machine: null,
  rig: null,
  provider: null,
  transport: null,
  direction: null,
  status: 'online',
  ready: true,
  approval: 'open',
  instanceId: null,
  epoch: 0,
  protected: false,
  nodeId: null,
  sessionId: null,
  meta: {},
  registeredAt: now,
  lastSeenAt: now,
});

/** The card of an agent says that it holds a token from the moment it has one to the moment it has none; null when it says so already. */
export function protectionChange(agent: Agent, holdsToken: boolean, at: number): Change | null {
  if (agent.protected === holdsToken) return null;
  const next: Agent = { ...agent, protected: holdsToken };
  return { at, events: [{ type: 'agent.updated', at, agent: next }], agents: [{ id: agent.id, agent: next }] };
}

/** Whether two cards say the same, the time they were last seen apart. */
export const isSameCard = (one: Agent, other: Agent): boolean =>
  JSON.stringify({ ...one, lastSeenAt: 0 }) === JSON.stringify({ ...other, lastSeenAt: 0 });

const unique = (names: readonly string[]): string[] => [...new Set(names)];

/** What is told of a registration: who is there now, or what the card says anew. */
export function registrationEvents(before: Agent | null, after: Agent, beginsSession: boolean, at: number): NewEvent[] {
  if (!before || beginsSession) return [{ type: 'agent.registered', at, agent: after }];
  if (isSameCard(before, after)) return [];
  return [{ type: isSameCard({ ...before, status: after.status }, after) ? 'agent.status' : 'agent.updated', at, agent: after }];
}
