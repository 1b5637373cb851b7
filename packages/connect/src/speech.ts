import { type NodeProvider, RELAY_VERSION } from 'agent-relay-protocol';
import type { NodeStatus } from './node-status.ts';

/**
 * Says in sentences what becomes of a node, a line at a time. Attempts to reach a relay that is away are told once. What others wrote is in the
 * lines: whoever prints them spells it out.
 */
export function createSpeech(url: URL, say: (line: string) => void): (status: NodeStatus) => void {
  let isAway = false;
  return (status) => {
    if (status.type === 'unreachable') {
      if (!isAway) say(`${sentence(status.reason)} Trying again.`);
      isAway = true;
      return;
    }
    if (status.type === 'lost') isAway = true;
    if (status.type === 'attached') isAway = false;
    for (const line of linesOf(status, url)) say(line);
  };
}

function linesOf(status: Exclude<NodeStatus, { readonly type: 'unreachable' }>, url: URL): readonly string[] {
  switch (status.type) {
    case 'attached':
      return attachedLines(status, url);
    case 'lost':
      return ['The relay is gone. The agents go on; connecting again.'];
    case 'agentStarted':
      return [`${status.agentId} started (${status.provider}).`];
    case 'agentEnded':
      return [`${status.agentId} ended: ${sentence(status.reason)}`];
  }
}

function attachedLines(
  { name, nodeId, providers, relayVersion, agents }: Extract<NodeStatus, { readonly type: 'attached' }>,
  url: URL,
): readonly string[] {
  const ready = providers.flatMap(({ id, available, version }) => (available ? [version === null ? id : `${id} ${version}`] : []));
  const missing = providers.filter(({ available }) => !available);
  return [
    `Connected to ${url.origin} as ${name} (${nodeId}).`,
    ...(relayVersion === null || relayVersion === RELAY_VERSION
      ? []
      : [`The relay is version ${relayVersion}, this program ${RELAY_VERSION}: update the older one.`]),
    ready.length > 0 ? `Ready: ${ready.join(', ')}.` : 'Nothing can be started here yet.',
    ...missingLines(missing),
    ...(agents.length > 0 ? [`Running: ${agents.join(', ')}.`] : []),
    `Dashboard: ${url.href}`,
  ];
}

/** More than these are a catalogue, which has a command of its own. */
const NAMED_MISSING = 3;

function missingLines(missing: readonly NodeProvider[]): readonly string[] {
  if (missing.length <= NAMED_MISSING) return missing.map(({ id, reason }) => `Not here: ${id}. ${sentence(reason ?? '')}`.trim());
  return [`Not here: ${missing.map(({ id }) => id).join(', ')}. How to install each: agent-relay providers`];
}

const sentence = (text: string): string => (text === '' || /[.!?]$/u.test(text) ? text : `${text}.`);
