import { type Address, type Agent, RELAY_AGENT_ID, RelayError } from 'agent-relay-protocol';
import { isBuiltIn } from './membership.ts';
import { unknownAgent } from './unknown-agent.ts';

type Card = Pick<Agent, 'id' | 'name' | 'label' | 'tags' | 'capabilities' | 'machine' | 'provider' | 'rig' | 'status'>;

/**
 * The one agent that an invitation means. An id means that agent; anything else looks among the agents that are there, the requester and the
 * relay's own addresses left out. A bare word is an id, else a name or label, else a provider.
 * @throws RelayError `ambiguous_target` with `details.candidates`, `agent_offline`, `not_found`, `validation_failed` at `target`.
 */
export function resolvePairTarget(address: Address, requester: string, agents: readonly Card[]): string {
  if (address.type === 'broadcast' || address.type === 'channel') throw invalid('An invitation goes to one agent');
  const exact = agents.find(({ id }) => id === (address.type === 'id' ? address.id : address.type === 'bare' ? address.word : null));
  if (exact) return there(exact, requester);
  if (address.type === 'id')
    throw unknownAgent(
      address.id,
      agents.map(({ id }) => ({ agentId: id })),
    );
  const present = agents.filter(({ id, status }) => status !== 'offline' && id !== requester && !isBuiltIn(id));
  const matches = address.type === 'bare' ? namedSo(address.word, present) : present.filter((agent) => belongs(agent, address));
  const [only, ...others] = matches;
  const said = address.type === 'bare' ? address.word : address.name;
  if (only === undefined) {
    throw unknownAgent(
      said,
      present.map(({ id }) => ({ agentId: id })),
      `No other agent that is there is called ${said}`,
    );
  }
  if (others.length > 0) {
    throw new RelayError('ambiguous_target', `${matches.length} agents that are there are called ${said}: name one`, {
      details: { candidates: matches.map(({ id }) => `id:${id}`).sort() },
    });
  }
  return only.id;
}

function there({ id, status }: Card, requester: string): string {
  if (id === requester) throw invalid('Nobody pairs with itself');
  if (id === RELAY_AGENT_ID) throw invalid('The relay itself pairs with nobody');
  if (status === 'offline') throw new RelayError('agent_offline', `${id} is offline: a pair needs both sides`);
  return id;
}

function namedSo(word: string, agents: readonly Card[]): readonly Card[] {
  const named = agents.filter(({ name, label }) => name === word || label === word);
  return named.length > 0 ? named : agents.filter(({ provider, rig }) => provider === word || rig === word);
}

function belongs(agent: Card, { type, name }: Extract<Address, { readonly name: string }>): boolean {
  switch (type) {
    case 'label':
      return agent.label === name;
    case 'machine':
      return agent.machine === name;
    case 'tag':
      return agent.tags.includes(name);
    case 'capability':
      return agent.capabilities.includes(name);
    case 'channel':
      return false;
  }
}

const invalid = (message: string): RelayError =>
  new RelayError('validation_failed', `target: ${message}`, { issues: [{ path: 'target', message }] });
