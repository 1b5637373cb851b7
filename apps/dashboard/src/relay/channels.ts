import { type Channel, type ChannelBinding, listAll, type RelayEvent } from 'agent-relay-client';
import type { ListView } from '../live/view.ts';
import { upsert } from './collect.ts';

/** By id. */
export const channelsView: ListView<Channel> = {
  name: 'channels',
  route: 'channels/list',
  read: (relay) => listAll(relay.channels.list, {}),
  apply: (channels, event) => ('binding' in event ? changeBindings(channels, event) : changePresence(channels, event)),
};

function changeBindings(channels: readonly Channel[], event: Extract<RelayEvent, { binding: unknown }>): readonly Channel[] {
  const { bindingId, channelId } = event.binding;
  const change = (bindings: readonly ChannelBinding[]) => {
    const others = bindings.filter((binding) => binding.bindingId !== bindingId);
    return event.type === 'channel.bound' ? [...others, event.binding] : others;
  };
  return channels.map((channel) => (channel.id === channelId ? { ...channel, bindings: change(channel.bindings) } : channel));
}

/** A channel is an agent of that kind, so what is told of the agent is told of it. */
function changePresence(channels: readonly Channel[], event: RelayEvent): readonly Channel[] {
  const agentId = 'agent' in event ? event.agent.id : event.type === 'agent.removed' ? event.agentId : null;
  const known = channels.find(({ id }) => id === agentId);
  if (!('agent' in event) || event.agent.kind !== 'channel') return known ? channels.filter((channel) => channel !== known) : channels;
  const { id, name, label, transport, direction, status, ready, lastSeenAt } = event.agent;
  const now = { id, name, label, status, ready, lastSeenAt, transport: transport ?? 'custom', direction: direction ?? 'both' };
  return upsert(channels, { ...now, bindings: known?.bindings ?? [] }, (channel) => channel.id);
}
