import type { Agent } from 'agent-relay-client';
import { formatAddress, parseAddress } from 'agent-relay-protocol';

/** Whom a message to an address would reach now, as far as this page knows the agents; the relay has the last word. */
export type Reach =
  | { readonly type: 'agents'; readonly ids: readonly string[] }
  | { readonly type: 'ambiguous'; readonly ids: readonly string[] }
  | { readonly type: 'nobody-called' | 'no-address' };

/** Built-in addresses take direct mail only, and channels to people carry what names them. */
const isReachedByGroups = ({ kind }: Agent): boolean => kind !== 'system' && kind !== 'user' && kind !== 'channel';

/** Of nothing typed yet null. */
export function reachOf(text: string, agents: readonly Agent[]): Reach | null {
  if (text.trim() === '') return null;
  const address = parseAddress(text.trim());
  if (address === null) return { type: 'no-address' };
  if (address.type === 'bare') return reachOfWord(address.word, agents);
  if (address.type === 'id') return { type: 'agents', ids: agents.some(({ id }) => id === address.id) ? [address.id] : [] };
  const spelled = formatAddress(address);
  return { type: 'agents', ids: agents.filter((agent) => addressesOf(agent).has(spelled) || follows(agent, spelled)).map(({ id }) => id) };
}

/** An exact id, else the only agent of that name or label, else the only one of that kind that is there. */
function reachOfWord(word: string, agents: readonly Agent[]): Reach {
  if (agents.some(({ id }) => id === word)) return { type: 'agents', ids: [word] };
  const called = agents.filter(({ name, label }) => name === word || label === word);
  const found = called.length > 0 ? called : agents.filter(({ provider, status }) => provider === word && status !== 'offline');
  const ids = found.map(({ id }) => id).sort();
  return ids.length === 0 ? { type: 'nobody-called' } : { type: ids.length === 1 ? 'agents' : 'ambiguous', ids };
}

function addressesOf(agent: Agent): ReadonlySet<string> {
  const { label, machine, tags, capabilities, channels } = agent;
  return new Set([
    ...(isReachedByGroups(agent) ? ['broadcast'] : []),
    ...(label === null ? [] : [`label:${label}`]),
    ...(machine === null ? [] : [`machine:${machine}`]),
    ...tags.map((tag) => `tag:${tag}`),
    ...capabilities.map((capability) => `cap:${capability}`),
    ...(channels ?? []).map((channel) => `channel:${channel}`),
  ]);
}

const follows = (agent: Agent, spelled: string): boolean =>
  spelled.startsWith('channel:') && agent.channels === null && isReachedByGroups(agent);

/** Every address that there is somebody behind, for a field that completes them. */
export function addressesIn(agents: readonly Agent[]): readonly string[] {
  const groups = new Set(agents.flatMap((agent) => [...addressesOf(agent)]));
  groups.delete('broadcast');
  return [...agents.map(({ id }) => id).sort(), 'broadcast', ...[...groups].map((group) => group.replace(/^channel:/u, '#')).sort()];
}

const NAMED = 4;

/** The same in words. */
export function saysReach(reach: Reach): string {
  switch (reach.type) {
    case 'no-address':
      return 'That is no address: an id or name, tag:, cap:, label:, machine:, #channel or broadcast';
    case 'nobody-called':
      return 'Nobody is called so';
    case 'ambiguous':
      return `${reach.ids.length} are called so: ${named(reach.ids)}`;
    case 'agents':
      return reach.ids.length === 0 ? 'Reaches nobody now' : `Reaches ${named(reach.ids)}`;
  }
}

const named = (ids: readonly string[]): string =>
  ids.length <= NAMED ? ids.join(', ') : `${ids.length}: ${ids.slice(0, NAMED - 1).join(', ')} and ${ids.length - NAMED + 1} more`;
