import { type Hold, type Message, type Pair, type Principal, principalName, type Task } from 'agent-relay-protocol';
import { isDirect, isInAudience, isOfferedNow, type Member } from './audience.ts';
import { EVERY_CHANNEL, isBuiltIn } from './membership.ts';
import { agentOf, grantOf, isOwner, mayActUpon } from './scopes.ts';

/*
 * Who reads what. An agent reads what concerns it: what it sent, what it received by its id or as a member of a group, the threads that it takes
 * part in, and what was said to everybody. A program that is no agent's reads what concerns those that it could act as. The owner, and who was
 * given the scope `workspace:read`, read everything.
 */

/** What the rule knows of an address. */
export interface Addressee extends Member {
  /** Mail up to this number was, or is, in the hands of sessions that held a token. */
  readonly provenThrough: number;
  readonly agent: { readonly nodeId: string | null } | null;
}

/** Whom there is to ask about, in one workspace. */
export interface Addressees {
  find(agentId: string): Addressee | undefined;
  members(address: string): Iterable<Addressee>;
  /** Whether a person made a token that speaks for this id. */
  isBound(agentId: string): boolean;
  /** Whether a system of the configuration has this name. */
  isIntegration(name: string): boolean;
}

export type Reader =
  | { readonly type: 'everybody' }
  | { readonly type: 'agent'; readonly agentId: string }
  | { readonly type: 'program'; readonly principal: Principal };

/** The agents that take part in a message's thread, when it is one that is shared, each with the number at which it came into it. */
export type Participants = ReadonlyMap<string, number>;

type Said = Pick<Message, 'id' | 'from' | 'to' | 'channel' | 'claimable'> & { readonly sender?: Message['sender'] };

export const readsWorkspace = (principal: Principal): boolean =>
  isOwner(principal) || (grantOf(principal)?.scopes.includes('workspace:read') ?? false);

/** What one caller may read: the rule for everything that leaves the relay. */
export interface ReadRights {
  readonly readsAll: boolean;
  /** Whether what has the number `seq` may be read when it concerns this agent. */
  readsAs(agentId: string, seq: number): boolean;
  mayRead(message: Message, participants: Participants): boolean;
  /** A task is read by its source, by whom it is offered to, and by who has it. */
  mayReadTask(task: Task): boolean;
  /** What is held has reached nobody yet but who wrote it. */
  mayReadHold(hold: Hold): boolean;
  mayReadPair(pair: Pair): boolean;
}

export function rightsOf(reader: Reader, addressees: Addressees): ReadRights {
  const readsAsOne: ReadRights['readsAs'] = (agentId, seq) => readsAs(reader, agentId, seq, addressees);
  return {
    readsAll: reader.type === 'everybody',
    readsAs: readsAsOne,
    mayRead: (message, participants) => mayRead(message, reader, addressees, participants),
    mayReadTask: ({ id, source: from, target: to, channel, claimedBy }) =>
      (claimedBy !== null && readsAsOne(claimedBy, id)) || mayRead({ id, from, to, channel, claimable: true }, reader, addressees, nobody),
    mayReadHold: ({ id, message }) => readsAsOne(message.from, id),
    mayReadPair: ({ id, requester, target }) => readsAsOne(requester, id) || readsAsOne(target, id),
  };
}

export function readerOf(principal: Principal): Reader {
  if (readsWorkspace(principal)) return { type: 'everybody' };
  const agentId = agentOf(principal);
  return agentId === null ? { type: 'program', principal } : { type: 'agent', agentId };
}

function readsAs(reader: Reader, agentId: string, seq: number, addressees: Addressees): boolean {
  switch (reader.type) {
    case 'everybody':
      return true;
    case 'agent':
      return reader.agentId === agentId;
    case 'program':
      return couldActAs(reader.principal, agentId, seq, addressees);
  }
}

function mayRead(message: Said, reader: Reader, addressees: Addressees, participants: Participants): boolean {
  if (reader.type === 'everybody' || (message.to === 'broadcast' && message.channel === null)) return true;
  return concerns(message, reader, addressees) || sharesThread(participants, reader, addressees);
}

export const nobody: Participants = new Map();

/**
 * Whether all who come into a thread share it. What began between two is shared; what was said to many is no common room: its answers stay
 * between those who exchange them.
 */
export const isShared = (root: Pick<Message, 'to'>): boolean => isDirect(root.to);

/** Who takes part in a thread by this message of it. */
export const partiesOf = ({ from, to }: Pick<Message, 'from' | 'to'>): readonly string[] => (isDirect(to) ? [from, to.slice(3)] : [from]);

function concerns(message: Said, reader: Exclude<Reader, { type: 'everybody' }>, addressees: Addressees): boolean {
  const { id, from, to } = message;
  if (reader.type === 'program' && message.sender?.principal === principalName(reader.principal)) return true;
  if (readsAs(reader, from, id, addressees)) return true;
  if (isDirect(to)) return readsAs(reader, to.slice(3), id, addressees);
  const isAddressed = (member: Member) => isInAudience(message, member) || (message.claimable && isOfferedNow(message, member));
  if (reader.type === 'agent') {
    const member = addressees.find(reader.agentId);
    return member !== undefined && isAddressed(member);
  }
  for (const address of to.startsWith('channel:') ? [to, EVERY_CHANNEL] : [to]) {
    for (const member of addressees.members(address))
      if (readsAs(reader, member.agentId, id, addressees) && isAddressed(member)) return true;
  }
  return false;
}

/** By who came into it, whenever what is read was said: whoever has the name now takes no part in what its predecessor came into. */
function sharesThread(participants: Participants, reader: Reader, addressees: Addressees): boolean {
  if (reader.type === 'agent') return participants.has(reader.agentId);
  for (const [agentId, cameAt] of participants) if (readsAs(reader, agentId, cameAt, addressees)) return true;
  return false;
}

/** A program may say that it is any agent whose name nothing proves, so it reads what such an agent has; never what a token's session had. */
function couldActAs(principal: Principal, agentId: string, seq: number, addressees: Addressees): boolean {
  if (principal.type === 'integration' && principal.name === agentId) return true;
  if (isBuiltIn(agentId)) return false;
  const entry = addressees.find(agentId);
  if (principal.type === 'node') return entry?.agent?.nodeId === principal.nodeId;
  if (addressees.isIntegration(agentId) || addressees.isBound(agentId) || (entry !== undefined && seq <= entry.provenThrough)) return false;
  return mayActUpon(principal, agentId);
}
