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

/** Mistyped words begin right: only ids with the same first letter are looked at. */
export function nearId(id: string, agents: Iterable<{ readonly agentId: string }>): string | null {
  const word = id.slice(0, LONGEST);
  const first = word[0]?.toLowerCase();
  const candidates: string[] = [];
  for (const { agentId } of agents) {
    if (agentId[0]?.toLowerCase() !== first || agentId.length > LONGEST) continue;
    if (candidates.push(agentId) === COMPARED) break;
  }
  return nearest(word, candidates);
}
