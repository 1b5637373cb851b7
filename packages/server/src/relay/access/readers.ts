import { type Claim, type Message, type Principal, principalName, RelayError } from 'agent-relay-protocol';
import type { StoredMessage } from '../../domain/change.ts';
import type { Directory } from '../../domain/directory.ts';
import { type Addressees, mayReadIn, nobody, type Reader, type ReadRights, readerOf, rightsOf } from '../../domain/readership.ts';
import type { Reading } from '../../store/reading.ts';
import type { Store } from '../../store/store.ts';

export interface ReadersDeps {
  readonly store: Pick<Store, 'agents' | 'messages'>;
  /** The names of the systems in the configuration. */
  readonly integrations: readonly { readonly name: string }[];
}

/** What one caller may read, and what a list of messages is narrowed to for it; undefined where it is not. */
export interface Readership extends ReadRights {
  readonly reading: Reading | undefined;
}

/** Who reads what, for the routes and streams that tell of mail and of work. */
export class Readers {
  readonly #store: ReadersDeps['store'];
  readonly #integrations: ReadonlySet<string>;

  constructor({ store, integrations }: ReadersDeps) {
    this.#store = store;
    this.#integrations = new Set(integrations.map(({ name }) => name));
  }

  /** As of the last commit, for what is only read. */
  of(principal: Principal): Readership {
    const rights = this.rightsIn(this.#store.agents.index.in(principal.workspace), principal);
    return { ...rights, reading: readingOf(readerOf(principal), rights) };
  }

  /** By the agents that a decision is shown. */
  rightsIn(agents: Directory, principal: Principal): ReadRights {
    return rightsOf(readerOf(principal), this.#addressees(agents));
  }

  /** A message that the caller may read. @throws RelayError `not_found`, also for one that is not theirs to read. */
  async message(principal: Principal, id: number): Promise<StoredMessage> {
    const stored = await this.find(principal, id);
    if (stored) return stored;
    throw new RelayError('not_found', `There is no message ${id}${this.of(principal).readsAll ? '' : ' that you may read'}`);
  }

  /** As `message`; null for one that there is not, or is not theirs to read. */
  async find(principal: Principal, id: number): Promise<StoredMessage | null> {
    const stored = await this.#store.messages.get(principal.workspace, id);
    return stored && (await this.mayRead(principal, stored.message)) ? stored : null;
  }

  async mayRead(principal: Principal, message: Message): Promise<boolean> {
    const readership = this.of(principal);
    if (readership.readsAll || readership.mayRead(message, nobody)) return true;
    return readership.mayRead(
      message,
      await this.#store.messages.participants(principal.workspace, message.threadId, principalName(principal)),
    );
  }

  /** A claim is read by its holder, and by who reads what it is on. */
  async mayReadClaim(principal: Principal, claim: Claim): Promise<boolean> {
    if (this.of(principal).readsAs(claim.agentId, claim.subjectId)) return true;
    return (await this.find(principal, claim.subjectId)) !== null;
  }

  #addressees(agents: Directory): Addressees {
    return {
      find: (agentId) => agents.find(agentId),
      members: (address) => agents.members(address),
      isBound: (agentId) => agents.isBound(agentId),
      isIntegration: (name) => this.#integrations.has(name),
      get version() {
        return agents.version;
      },
    };
  }
}

function readingOf(reader: Reader, { mayRead }: ReadRights): Reading | undefined {
  if (reader.type === 'everybody') return undefined;
  return {
    as: reader.type === 'agent' ? reader.agentId : null,
    mayRead: (message, participants) => mayReadIn({ mayRead }, message, participants),
  };
}
