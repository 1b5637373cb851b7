import { type Agent, type Principal, principalName, RelayError, type RouteInput, type RouteOutput } from 'agent-relay-protocol';
import { actAs } from '../../domain/act-as.ts';
import { steererOf } from '../../domain/controllers.ts';
import type { Directory } from '../../domain/directory.ts';
import { hasPresence } from '../../domain/presence.ts';
import { agentOf, isOwner } from '../../domain/scopes.ts';
import type { Store } from '../../store/store.ts';
import { registered } from '../access/registered.ts';
import { listedById } from '../contract/listed.ts';
import type { RelayHandlers } from '../contract/relay-contract.ts';
import type { AgentRegistry } from './agents.ts';
import { withItsWake, withTheirWakes } from './wakes.ts';

type AgentRouteName =
  | 'agents/register'
  | 'agents/list'
  | 'agents/find'
  | 'agents/get'
  | 'agents/heartbeat'
  | 'agents/label'
  | 'agents/tags'
  | 'agents/status'
  | 'agents/ready'
  | 'agents/approval'
  | 'agents/remove';

/** A card that somebody changes: whoever is not the agent steers it by that. */
const cardBy = (principal: Principal, id: string) =>
  ({ type: 'agent.updated', steeredBy: agentOf(principal) === id ? null : steererOf(principal, null) }) as const;

export function agentHandlers({
  store,
  agents,
  endRemoved,
}: {
  readonly store: Pick<Store, 'agents' | 'log' | 'records'>;
  readonly agents: AgentRegistry;
  /** Waits until what a machine runs of it has ended. */
  readonly endRemoved: (workspace: string, agentId: string) => Promise<void>;
}): Pick<RelayHandlers, AgentRouteName> {
  /** The owner may manage any card; everybody else only one it may act as. */
  const assertMayManage = (principal: Principal, agent: Agent, known: Directory) => {
    if (!isOwner(principal)) actAs(known, principal, agent.id);
  };

  return {
    'agents/register': (input, { principal }) => agents.register(principal, input),
    'agents/list': ({ after, limit, ...filter }, { principal }) =>
      listAgents(store, principal.workspace, { after, limit }, (agent) => isAsked(agent, filter)),
    'agents/find': ({ capability, ...page }, { principal }) =>
      listAgents(store, principal.workspace, page, (agent) => agent.capabilities.includes(capability)),
    'agents/get': async ({ id }, { principal: { workspace } }) =>
      withItsWake(store.records, workspace, registered(store.agents.index.in(workspace), id)),
    'agents/heartbeat': ({ id, status, ...guard }, { principal }) =>
      agents.heartbeat(principal.workspace, id, { guard, status, mayAct: (known) => actAs(known, principal, id) }),
    'agents/label': ({ id, label }, { principal }) =>
      agents.update(principal.workspace, id, cardBy(principal, id), (agent, known) => {
        assertMayManage(principal, agent, known);
        return { label: label === '' ? null : label };
      }),
    'agents/tags': ({ id, tags, capabilities, channels }, { principal }) =>
      agents.update(principal.workspace, id, cardBy(principal, id), (agent, known) => {
        assertMayManage(principal, agent, known);
        return taggedAs({ tags, capabilities, channels }, isOwner(principal));
      }),
    'agents/status': ({ id, status, ...guard }, { principal }) =>
      agents.update(principal.workspace, id, { type: 'agent.status' }, (_agent, known) => {
        actAs(known, principal, id, guard);
        return { status };
      }),
    'agents/ready': ({ id, ready, ...guard }, { principal }) =>
      agents.update(principal.workspace, id, cardBy(principal, id), (_agent, known) => {
        actAs(known, principal, id, guard);
        return { ready };
      }),
    'agents/approval': ({ id, approval }, { principal }) => {
      // What protects a person from an agent is not the agent's to change.
      if (!isOwner(principal)) throw new RelayError('forbidden', 'Only the owner sets what an agent may do');
      return agents.update(principal.workspace, id, cardBy(principal, id), (agent) => {
        assertMayHold(agent, approval);
        return { approval };
      });
    },
    'agents/remove': async ({ id }, { principal }) => {
      const cause = { reason: `${id} was removed`, by: principalName(principal) };
      const failedMessages = await agents.remove(principal.workspace, id, cause, (agent, { agents: known }) => {
        if (agent.kind === 'system' || agent.id === 'owner') throw new RelayError('forbidden', `${id} is an address of the relay's own`);
        assertMayManage(principal, agent, known);
      });
      await endRemoved(principal.workspace, id);
      return { removed: true, failedMessages };
    },
  };
}

async function listAgents(
  { agents, log, records }: Pick<Store, 'agents' | 'log' | 'records'>,
  workspace: string,
  page: Parameters<typeof listedById>[2],
  keep: (agent: Agent) => boolean,
): Promise<RouteOutput<'agents/list'>> {
  const found: Agent[] = [];
  for (const { agent } of agents.index.in(workspace).agents()) if (agent && keep(agent)) found.push(agent);
  const { data, ...rest } = listedById(found, ({ id }) => id, page);
  const cursor = log.head;
  return { ...rest, data: await withTheirWakes(records, workspace, data), cursor };
}

/** Tags that the owner gives are given for good. */
const taggedAs = ({ tags, capabilities, channels }: Omit<RouteInput<'agents/tags'>, 'id'>, isGiven: boolean) => ({
  ...(tags ? { tags: [...new Set(tags)] } : {}),
  ...(tags && isGiven ? { givenTags: [...new Set(tags)] } : {}),
  ...(capabilities ? { capabilities: [...new Set(capabilities)] } : {}),
  ...(channels === undefined ? {} : { channels: channels && [...new Set(channels)] }),
});

/** A machine runs it as it was started: a card that says otherwise would be believed. */
function assertMayHold({ id, sessionId, approval: current }: Agent, approval: Agent['approval']): void {
  if (sessionId === null || current === approval) return;
  throw new RelayError('unsupported', `${id} runs with approval ${current} until its session ends: start it anew`);
}

type AgentFilter = Omit<RouteInput<'agents/list'>, 'after' | 'limit'>;

const isAsked = (agent: Agent, { tag, capability, machine, label, status, provider, stalled }: AgentFilter): boolean =>
  (tag === undefined || agent.tags.includes(tag)) &&
  (capability === undefined || agent.capabilities.includes(capability)) &&
  (machine === undefined || agent.machine === machine) &&
  (label === undefined || agent.label === label) &&
  (status === undefined || hasPresence(agent.status, status)) &&
  (provider === undefined || agent.provider === provider) &&
  (stalled === undefined || (agent.stalled !== undefined) === stalled);
