import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InboxItem } from 'agent-relay-protocol';
import type { GreetedProgram } from 'agent-relay-provider';
import { type Log, RecentMap } from 'agent-relay-wire';

/**
 * The prompt that carried a message, and what made that message the one it was: its number may come again in another database. Null where the program
 * that had the prompt is gone. Context is in no turn, so that no conversation can be asked for it. Of the others the conversations are known that may
 * have had it.
 */
type Carried = readonly [promptId: string | null, fingerprint: string, isContext: boolean, conversations: readonly string[]];
type CarriedById = RecentMap<number, Carried>;

interface Handed {
  readonly carried: CarriedById;
  /** To which program, where that was known. */
  program: string | null;
  /** A program was spoken to, and who it was is not known. */
  isGreeting: boolean;
}

const fileName = 'prompt-ids.json';
/** For each agent: a program that never confirms must not fill the file. */
const MESSAGES_KEPT = 200;
/** Of one message: an agent that is started anew again and again must not fill it either. */
const CONVERSATIONS_KEPT = 16;

/**
 * Under which ids programs that outlive this process were handed their mail, as far as they have not confirmed it: on disk before they get it, so that
 * the next process hands it over under the same id, by which a program that has it drops it. Where the program is gone, nobody can know whether it had
 * read it: it is told, and not handed to the next program. A conversation that its vendor keeps is no program: whoever goes on with it asks it.
 *
 * The file is replaced whole and not fsynced: it is for a process that was killed, and holds what is on its way.
 */
export class PromptIds {
  readonly #path: string;
  readonly #log: Log;
  readonly #agents: Map<string, Handed>;
  #hasFault = false;

  constructor(stateDir: string, log: Log) {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    this.#path = join(stateDir, fileName);
    this.#log = log;
    this.#agents = readAgents(this.#path, log);
  }

  /** Those of one session, which begins. `isAsked`: its conversation is, for what it was handed before. */
  of(agentId: string, { isAsked = false }: { readonly isAsked?: boolean } = {}): AgentPromptIds {
    const { carried = [], program = null, isGreeting = false } = this.#agents.get(agentId) ?? {};
    const known = isAsked ? [...carried].map(([id, each]) => [id, withoutContext(each)] as const) : carried;
    const handed = { carried: new RecentMap(MESSAGES_KEPT, known), program, isGreeting };
    this.#agents.set(agentId, handed);
    return new AgentPromptIds(handed, {
      isAsked,
      write: () => this.#write(),
      forget: () => {
        if (this.#agents.get(agentId) === handed) this.#agents.delete(agentId);
      },
    });
  }

  #write(): void {
    const agents = [...this.#agents]
      .filter(([, { carried }]) => carried.size > 0)
      .map(([agentId, { carried, program, isGreeting }]) => [agentId, [...carried].map(stored), program, isGreeting] as const);
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(agents), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      this.#hasFault = false;
    } catch (error) {
      if (!this.#hasFault)
        this.#log.warn('what agents are handed cannot be written down: after a crash some of it may come twice', { error });
      this.#hasFault = true;
    }
  }
}

interface AgentPromptIdsOptions {
  readonly isAsked: boolean;
  readonly write: () => void;
  readonly forget: () => void;
}

interface HandedTo {
  readonly isContext?: boolean;
  /** The vendor's own id of it, where that is known. */
  readonly conversation?: string | null;
}

/** The prompts that one session's program has not confirmed. */
export class AgentPromptIds {
  readonly #handed: Handed;
  readonly #isAsked: boolean;
  readonly #write: () => void;
  readonly #forget: () => void;
  #isInDoubt = false;

  constructor(handed: Handed, { isAsked, write, forget }: AgentPromptIdsOptions) {
    this.#handed = handed;
    this.#isAsked = isAsked;
    this.#write = write;
    this.#forget = forget;
  }

  get #carried(): CarriedById {
    return this.#handed.carried;
  }

  /** A program is about to be spoken to on another link. A process that is killed before it hears who answers leaves that to be doubted by the next. */
  greeting(): void {
    this.#isInDoubt = this.#handed.isGreeting;
    this.#handed.isGreeting = true;
    if (this.#carried.size > 0) this.#write();
  }

  /** Another program than before, or one that nobody had spoken to, has nothing of what the one before was handed; nor, for all we know, has one in doubt. */
  greeted({ isContinued, program, isSame }: GreetedProgram): void {
    const handed = this.#handed;
    const isKnown = program !== null && handed.program !== null;
    const isAnother = !isSame && (!isContinued || (isKnown ? program !== handed.program : this.#isInDoubt));
    handed.program = program ?? (isAnother ? null : handed.program);
    handed.isGreeting = false;
    if (this.#carried.size === 0) return;
    if (isAnother) this.programGone();
    else this.#write();
  }

  /** Under which id this very message was handed over. */
  idOf({ message }: InboxItem): string | null {
    const [promptId = null, fingerprint] = this.#carried.get(message.id) ?? [];
    return fingerprint === fingerprintOf(message) ? promptId : null;
  }

  /** The conversations that this prompt was handed to, oldest first. */
  conversationsOf(promptId: string): readonly string[] {
    for (const [id, , , conversations] of this.#carried.values()) if (id === promptId) return conversations;
    return [];
  }

  /** Whether this very message was handed to a program that is gone. */
  wasLost({ message }: InboxItem): boolean {
    const [promptId, fingerprint] = this.#carried.get(message.id) ?? [];
    return promptId === null && fingerprint === fingerprintOf(message);
  }

  /**
   * Writes down what is about to be handed over. What else had gone under this id, and may come later, nobody can hand over any more: a program that has
   * the prompt as it was has read it, and one that takes it as it is now would drop it.
   */
  add(promptId: string, items: readonly InboxItem[], { isContext = false, conversation = null }: HandedTo = {}): void {
    const before = this.conversationsOf(promptId).filter((each) => each !== conversation);
    const conversations = this.#isAsked && conversation !== null ? [...before, conversation].slice(-CONVERSATIONS_KEPT) : before;
    for (const [messageId, [id, fingerprint]] of this.#carried)
      if (id === promptId) this.#carried.set(messageId, [null, fingerprint, false, []]);
    for (const { message } of items) {
      const fingerprint = fingerprintOf(message);
      this.#carried.set(message.id, [promptId, fingerprint, isContext, conversations]);
    }
    this.#write();
  }

  /** The program has it, or the relay knows that nobody can say: in the file it goes with the next that is written. */
  settled(messageId: number): void {
    this.#carried.delete(messageId);
  }

  /** It was not handed over after all, as far as a session says that has ended: a conversation that is asked may have it. */
  notHandedOver(messageIds: readonly number[]): void {
    if (this.#isAsked) return;
    for (const id of messageIds) this.#carried.delete(id);
    this.#write();
  }

  /** Answers what it had not confirmed; of a conversation nothing is lost with its session. */
  programGone(): readonly number[] {
    if (this.#isAsked) {
      if (this.#carried.size === 0) this.#forget();
      return [];
    }
    const lost = [...this.#carried];
    for (const [messageId, [, fingerprint]] of lost) this.#carried.set(messageId, [null, fingerprint, false, []]);
    if (lost.length === 0) this.#forget();
    this.#write();
    return lost.map(([messageId]) => messageId);
  }
}

const withoutContext = ([promptId, fingerprint, isContext, conversations]: Carried): Carried => [
  isContext ? null : promptId,
  fingerprint,
  false,
  conversations,
];

/** As the file has it: what says nothing is left out. */
function stored([messageId, carried]: readonly [number, Carried]): readonly [number, readonly unknown[]] {
  const [, , isContext, conversations] = carried;
  return [messageId, conversations.length > 0 ? carried : carried.slice(0, isContext ? 3 : 2)];
}

const fingerprintOf = ({ id, from, to, body, createdAt }: InboxItem['message']): string =>
  createHash('sha256')
    .update(JSON.stringify([id, from, to, body, createdAt]))
    .digest('base64url');

function readAgents(path: string, log: Log): Map<string, Handed> {
  if (!existsSync(path)) return new Map();
  try {
    const agents: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!Array.isArray(agents)) throw new TypeError('It is no list');
    if (!agents.every((agent) => isAgent(agent) && agent[1].every(isCarried))) log.warn(damaged, { path });
    return new Map(agents.filter(isAgent).map(([agentId, ...handed]) => [agentId, handedFrom(...handed)]));
  } catch (error) {
    log.warn(damaged, { path, error });
    return new Map();
  }
}

const damaged = 'what agents had been handed cannot be read, or not all of it: some of it may come twice';

const handedFrom = (carried: readonly unknown[], program: unknown, isGreeting: unknown): Handed => ({
  carried: new RecentMap(MESSAGES_KEPT, carried.filter(isCarried).map(carriedFrom)),
  program: typeof program === 'string' ? program : null,
  isGreeting: isGreeting === true,
});

const isAgent = (value: unknown): value is [string, unknown[], unknown, unknown] =>
  Array.isArray(value) && typeof value[0] === 'string' && Array.isArray(value[1]);

type StoredCarried = readonly [promptId: string | null, fingerprint: string, isContext?: boolean, conversations?: readonly string[]];

function isCarried(value: unknown): value is [number, StoredCarried] {
  if (!Array.isArray(value) || typeof value[0] !== 'number' || !Array.isArray(value[1])) return false;
  const [promptId, fingerprint, isContext = false, conversations = [], ...rest]: unknown[] = value[1];
  const isKnown = rest.length === 0 && typeof isContext === 'boolean' && Array.isArray(conversations);
  const isTold = (promptId === null || typeof promptId === 'string') && typeof fingerprint === 'string';
  return isKnown && isTold && conversations.every((each) => typeof each === 'string');
}

const carriedFrom = ([messageId, [promptId, fingerprint, isContext = false, conversations = []]]: [number, StoredCarried]) =>
  [messageId, [promptId, fingerprint, isContext, conversations]] as const satisfies [number, Carried];
