import { nearest, RelayError } from 'agent-relay-protocol';

/** So many ids are compared at most: a refusal must not cost more than what was asked for. */
const COMPARED = 200;
const LONGEST = 64;

/** Nobody has this id: the refusal names the one that was most likely meant, in `details.near`. */
export function unknownAgent(id: string, agents: Iterable<{ readonly agentId: string }>, said = `No agent has the id ${id}`): RelayError {
  const near = nearId(id, agents);
  return near === null
    ? new RelayError('not_found', said)
    : new RelayError('not_found', `${said}: did you mean ${near}?`, { details: { near } });
}

/** Mistyped words begin right, in whichever case: only ids with the same first letter are looked at. */
export function nearId(id: string, agents: Iterable<{ readonly agentId: string }>): string | null {
  const word = id.slice(0, LONGEST).toLowerCase();
  const candidates = new Map<string, string>();
  for (const { agentId } of agents) {
    const lower = agentId.toLowerCase();
    if (lower[0] !== word[0] || lower.length > LONGEST) continue;
    candidates.set(lower, agentId);
    if (candidates.size === COMPARED) break;
  }
  return candidates.get(nearest(word, candidates.keys()) ?? '') ?? null;
}
