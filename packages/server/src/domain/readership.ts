import { type Hold, type Message, type Pair, type Principal, principalName, type Task } from 'agent-relay-protocol';
import { isDirect, isInAudience, isOfferedNow, type Member } from './audience.ts';
import { GroupReach } from './group-reach.ts';
import { EVERY_CHANNEL, isBuiltIn } from './membership.ts';
import { agentOf, grantOf, isOwner, mayActUpon } from './scopes.ts';
import { ThreadReach } from './thread-reach.ts';

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
  /** Another number whenever an answer may be another. */
  readonly version: number;
}

export type Reader =
  | { readonly type: 'everybody' }
  | { readonly type: 'agent'; readonly agentId: string }
  | { readonly type: 'program'; readonly principal: Principal };

/** The agents that take part in a message's thread, when it is one that is shared, each with the number at which it came into it. */
export type Participants = ReadonlyMap<string, number>;

type Said = Pick<Message, 'id' | 'from' | 'to' | 'channel' | 'claimable'> & { readonly sender?: Message['sender'] };

/** Who asks for one answer, or one stream of them, and what is remembered meanwhile. */
interface Asking {
  readonly reader: Reader;
  readonly addressees: Addressees;
  readonly groups: GroupReach;
  readonly threads: ThreadReach;
}

/** What is open or closed to a reader from the first number to the last. */
const [OPEN, CLOSED] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
/** So many members are looked at for one message; of a larger group it is remembered what the reader has. */
const WALKED = 16;

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
  const readsAsOne: ReadRights['readsAs'] = (agentId, seq) => readsAs({ reader, addressees }, agentId, seq);
  const asking = {
    reader,
    addressees,
    groups: new GroupReach(addressees, (agentId) => closedThrough(reader, agentId, addressees)),
    threads: new ThreadReach(addressees, readsAsOne),
  };
  return {
    readsAll: reader.type === 'everybody',
    readsAs: readsAsOne,
    mayRead: (message, participants) => mayRead(message, asking, participants),
    mayReadTask: ({ id, source: from, target: to, channel, claimedBy }) =>
      (claimedBy !== null && readsAsOne(claimedBy, id)) || mayRead({ id, from, to, channel, claimable: true }, asking, nobody),
    mayReadHold: ({ id, message }) => readsAsOne(message.from, id),
    mayReadPair: ({ id, requester, target }) => readsAsOne(requester, id) || readsAsOne(target, id),
  };
}

export function readerOf(principal: Principal): Reader {
  if (readsWorkspace(principal)) return { type: 'everybody' };
  const agentId = agentOf(principal);
  return agentId === null ? { type: 'program', principal } : { type: 'agent', agentId };
}

const readsAs = ({ reader, addressees }: Pick<Asking, 'reader' | 'addressees'>, agentId: string, seq: number): boolean =>
  seq > closedThrough(reader, agentId, addressees);

/** Up to which number the reader has nothing of what concerns this agent. */
function closedThrough(reader: Reader, agentId: string, addressees: Addressees): number {
  switch (reader.type) {
    case 'everybody':
      return OPEN;
    case 'agent':
      return reader.agentId === agentId ? OPEN : CLOSED;
    case 'program':
      return closedToProgram(reader.principal, agentId, addressees);
  }
}

function mayRead(message: Said, asking: Asking, participants: Participants): boolean {
  if (asking.reader.type === 'everybody' || (message.to === 'broadcast' && message.channel === null)) return true;
  return concerns(message, asking) || sharesThread(participants, asking);
}

export const nobody: Participants = new Map();

/** Whether a message may be read; who takes part in its thread is looked up only where nothing else opens it. */
export const mayReadIn = ({ mayRead }: Pick<ReadRights, 'mayRead'>, message: Message, participants: () => Participants): boolean =>
  mayRead(message, nobody) || mayRead(message, participants());

/**
 * Whether all who come into a thread share it. What began between two is shared; what was said to many is no common room: its answers stay
 * between those who exchange them.
 */
export const isShared = (root: Pick<Message, 'to'>): boolean => isDirect(root.to);

/** Who takes part in a thread by this message of it. */
export const partiesOf = ({ from, to }: Pick<Message, 'from' | 'to'>): readonly string[] => (isDirect(to) ? [from, to.slice(3)] : [from]);

function concerns(message: Said, asking: Asking): boolean {
  const { id, from, to } = message;
  const { reader, addressees } = asking;
  if (reader.type === 'program' && message.sender?.principal === principalName(reader.principal)) return true;
  if (readsAs(asking, from, id)) return true;
  if (isDirect(to)) return readsAs(asking, to.slice(3), id);
  const isAddressed = (member: Member) => isInAudience(message, member) || (message.claimable && isOfferedNow(message, member));
  if (reader.type === 'agent') {
    const member = addressees.find(reader.agentId);
    return member !== undefined && isAddressed(member);
  }
  let walked = 0;
  for (const address of to.startsWith('channel:') ? [to, EVERY_CHANNEL] : [to]) {
    for (const member of addressees.members(address)) {
      if (readsAs(asking, member.agentId, id) && isAddressed(member)) return true;
      walked += 1;
      // Whoever said it is not among those it could act as, or it had been read as its own.
      if (walked === WALKED) return asking.groups.has(message);
    }
  }
  return false;
}

/** By who came into it, whenever what is read was said: whoever has the name now takes no part in what its predecessor came into. */
function sharesThread(participants: Participants, asking: Asking): boolean {
  if (asking.reader.type === 'agent') return participants.has(asking.reader.agentId);
  return asking.threads.has(participants);
}

/** A program may say that it is any agent whose name nothing proves, so it reads what such an agent has; never what a token's session had. */
function closedToProgram(principal: Principal, agentId: string, addressees: Addressees): number {
  if (principal.type === 'integration' && principal.name === agentId) return OPEN;
  if (principal.type === 'share' || isBuiltIn(agentId)) return CLOSED;
  const entry = addressees.find(agentId);
  if (principal.type === 'node') return entry?.agent?.nodeId === principal.nodeId ? OPEN : CLOSED;
  if (addressees.isIntegration(agentId) || addressees.isBound(agentId) || !mayActUpon(principal, agentId)) return CLOSED;
  return entry?.provenThrough ?? OPEN;
}
