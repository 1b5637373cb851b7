import type { AgentWrite, Change, NewEvent, TokenRecord } from './change.ts';
import { tokenCreated, tokenRevoked } from './describe-token.ts';
import { protectionChange } from './registration.ts';
import type { FollowFacts, Rule } from './rule.ts';

/** A token that a person made for one agent: it speaks for it in every epoch. */
export const isBound = (record: TokenRecord): record is TokenRecord & { readonly agentId: string } =>
  record.type === 'scoped' && record.agentId !== null;

/** A token is there from now on; null tells nobody. */
export const beginToken = (token: TokenRecord, by: string | null): Change => ({
  at: token.createdAt,
  tokens: [token],
  events: by === null ? [] : [tokenCreated(token, by)],
});

/** It is good for nothing from now on. */
export const endToken = (token: TokenRecord, at: number, told: NewEvent | null): Change => ({
  at,
  endedTokens: [token],
  events: told === null ? [] : [told],
});

/** The tokens of an agent's sessions, the links to what it did, and the tokens of a machine end with what a change says. */
export const endsTokens: Rule = (facts, change) => {
  const { revokeAgentTokens, revokeSharesOf: shares, nodes, at } = change;
  if (revokeAgentTokens === undefined && shares === undefined && nodes === undefined) return change;
  const ofSessions = (revokeAgentTokens ?? []).flatMap((id) => facts.tokensOf(id).filter(endsWithSession));
  const links = shares === undefined ? [] : facts.tokensOf(shares.agentId).filter(({ type }) => type === 'share');
  const told = shares === undefined ? [] : links.map((record) => tokenRevoked(record, at, shares.by));
  const ofMachines = (nodes ?? []).flatMap(({ nodeId, node }) => (node === null ? facts.tokensOfNode(nodeId) : []));
  const ended = [...ofSessions, ...links, ...ofMachines];
  if (ended.length === 0) return change;
  return {
    ...change,
    events: [...(change.events ?? []), ...told],
    endedTokens: [...(change.endedTokens ?? []), ...ended],
  };
};

/** A code counts for one session from its first use on, which gives it that session's epoch. */
const endsWithSession = ({ type, epoch }: TokenRecord): boolean => type === 'session' || (type === 'dial' && epoch !== null);

/** A machine's tokens are called what it is called. */
export const namesTokens: Rule = (facts, change) => {
  if (change.nodes === undefined) return change;
  const named = change.nodes.flatMap(({ nodeId, node }) => {
    const before = node && facts.node(nodeId);
    if (!node || !before || before.name === node.name) return [];
    return facts.tokensOfNode(nodeId).map((token) => ({ ...token, name: node.name }));
  });
  return named.length === 0 ? change : { ...change, namedTokens: [...(change.namedTokens ?? []), ...named] };
};

/** The card of an agent says that it holds a token from the first one that a person made for it to the last. */
export const protectsCards: Rule = (facts, change) => {
  const { tokens = [], endedTokens = [] } = change;
  if (tokens.length === 0 && endedTokens.length === 0) return change;
  const ids = new Set([...tokens, ...endedTokens].filter(isBound).map(({ agentId }) => agentId));
  return [...ids].reduce((next, id) => withProtection(facts, next, id), change);
};

function withProtection(facts: FollowFacts, change: Change, id: string): Change {
  const write = change.agents?.findLast((each) => each.id === id);
  const agent = write ? write.agent : facts.agent(id)?.agent;
  const protection = agent && protectionChange(agent, facts.isReserved(id) || holdsToken(facts, change, id), change.at);
  const protectedCard = protection?.agents?.[0];
  if (!protection || !protectedCard) return change;
  const card: AgentWrite = { ...write, ...protectedCard };
  const agents = write ? change.agents?.map((each) => (each === write ? card : each)) : [...(change.agents ?? []), card];
  return { ...change, events: [...(change.events ?? []), ...(protection.events ?? [])], agents: agents ?? [] };
}

/** Of its session, or one that a person made. */
function holdsToken(facts: FollowFacts, { tokens = [], endedTokens = [] }: Change, agentId: string): boolean {
  const ended = new Set(endedTokens.map(({ tokenId }) => tokenId));
  const left = [...facts.tokensOf(agentId).filter(({ tokenId }) => !ended.has(tokenId)), ...tokens];
  return left.some((record) => record.agentId === agentId && (isBound(record) || record.type === 'session'));
}

/** Pushes go to whoever subscribed with a token that is good. */
export const endsPushes: Rule = (_facts, change) =>
  change.endedTokens === undefined ? change : { ...change, endedHolders: change.endedTokens.map(({ tokenId }) => tokenId) };
