import type { Agent, ApprovalMode } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { AddressEntry } from '../../domain/directory.ts';
import { provenThroughWith } from '../../domain/proven.ts';
import type { AddressSource, IndexedAgent, MutableAgentIndex, NewAddress, StoredAddress } from '../agent-index.ts';

interface StoredAgent {
  readonly agent: Agent;
  readonly spawnedBy: string | null;
}

interface MembershipRow {
  readonly ref: number;
  readonly address: string;
  readonly from_seq: number;
  readonly until_seq: number | null;
}

const columns = 'ref, workspace, agent_id AS agentId, epoch, approval, proven_through AS provenThrough';

/** Addresses, agents and memberships: written through the index, which is what everybody reads, and which asks here for what it does not hold. */
export class AddressTable implements AddressSource {
  readonly #database: Database;
  readonly #index: MutableAgentIndex;
  readonly #addAddress: Statement<[string, string]>;
  readonly #setEpoch: Statement<[number, number]>;
  readonly #remember: Statement<[ApprovalMode, number]>;
  readonly #setProven: Statement<[number, number]>;
  readonly #putAgent: Statement<[number, string]>;
  readonly #removeAgent: Statement<[number]>;
  readonly #openInterval: Statement<[number, string, number]>;
  readonly #endInterval: Statement<[number, number, string]>;
  readonly #find: Statement<[string, string], NewAddress>;
  readonly #byRef: Statement<[number], NewAddress>;
  readonly #intervals: Statement<[number], MembershipRow>;

  constructor(database: Database, index: MutableAgentIndex) {
    this.#database = database;
    this.#index = index;
    this.#addAddress = database.prepare('INSERT INTO addresses (workspace, agent_id) VALUES (?, ?)');
    this.#setEpoch = database.prepare('UPDATE addresses SET epoch = ? WHERE ref = ?');
    this.#remember = database.prepare('UPDATE addresses SET approval = ? WHERE ref = ?');
    this.#setProven = database.prepare('UPDATE addresses SET proven_through = ? WHERE ref = ?');
    this.#putAgent = database.prepare(
      'INSERT INTO agents (ref, record) VALUES (?, ?) ON CONFLICT (ref) DO UPDATE SET record = excluded.record',
    );
    this.#removeAgent = database.prepare('DELETE FROM agents WHERE ref = ?');
    this.#openInterval = database.prepare('INSERT INTO memberships (ref, address, from_seq) VALUES (?, ?, ?)');
    this.#endInterval = database.prepare('UPDATE memberships SET until_seq = ? WHERE ref = ? AND address = ? AND until_seq IS NULL');
    this.#find = database.prepare(`SELECT ${columns} FROM addresses WHERE workspace = ? AND agent_id = ?`);
    this.#byRef = database.prepare(`SELECT ${columns} FROM addresses WHERE ref = ?`);
    this.#intervals = database.prepare('SELECT * FROM memberships WHERE ref = ? ORDER BY address, from_seq');
    this.reload();
    index.readFrom(this);
  }

  find(workspace: string, agentId: string): StoredAddress | undefined {
    return this.#withIntervals(this.#find.get(workspace, agentId));
  }

  byRef(ref: number): StoredAddress | undefined {
    return this.#withIntervals(this.#byRef.get(ref));
  }

  /** Makes the index anew from what is committed: whoever is registered. */
  reload(): void {
    const registered = 'ref IN (SELECT ref FROM agents)';
    const addresses = this.#database.prepare<[], NewAddress>(`SELECT ${columns} FROM addresses WHERE ${registered}`).all();
    const intervals = this.#database
      .prepare<[], MembershipRow>(`SELECT * FROM memberships WHERE ${registered} ORDER BY ref, address, from_seq`)
      .all();
    const agents = this.#database.prepare<[], { ref: number; record: string }>('SELECT * FROM agents').all();
    // Only now: a read that fails leaves the index as it was.
    this.#index.clear();
    for (const row of addresses) this.#index.addAddress(row);
    for (const row of intervals) this.#index.addInterval(row.ref, row.address, intervalOf(row));
    for (const { ref, record } of agents) {
      const stored: StoredAgent = JSON.parse(record);
      this.#index.setAgent(ref, stored, { opened: [], ended: [] }, 0);
    }
  }

  #withIntervals(address: NewAddress | undefined): StoredAddress | undefined {
    if (!address) return undefined;
    const intervals = this.#intervals.all(address.ref).map((row) => ({ address: row.address, ...intervalOf(row) }));
    return { ...address, intervals };
  }

  /** The address, made on first use. */
  ensure(workspace: string, agentId: string): AddressEntry {
    const found = this.#index.find(workspace, agentId);
    if (found) return found;
    const ref = Number(this.#addAddress.run(workspace, agentId).lastInsertRowid);
    this.#index.addAddress({ ref, workspace, agentId, epoch: 0, approval: 'open', provenThrough: 0 });
    const made = this.#index.find(workspace, agentId);
    if (!made) throw new Error('An address that was just added is missing');
    return made;
  }

  /** Puts or removes an agent; memberships that change do so at `seq`. */
  set(workspace: string, agentId: string, registration: IndexedAgent, seq: number): void {
    const { agent, spawnedBy } = registration;
    const entry = this.ensure(workspace, agentId);
    const change = this.#index.membershipChange(entry.ref, agent);
    const provenThrough = provenThroughWith(entry, agent, seq);
    if (provenThrough !== entry.provenThrough) {
      this.#setProven.run(provenThrough, entry.ref);
      this.#index.setProven(entry.ref, provenThrough);
    }
    if (agent) {
      const stored: StoredAgent = { agent, spawnedBy };
      this.#putAgent.run(entry.ref, JSON.stringify(stored));
      if (agent.epoch > entry.epoch) this.#setEpoch.run(agent.epoch, entry.ref);
    } else {
      this.#remember.run(entry.approval, entry.ref);
      this.#removeAgent.run(entry.ref);
    }
    for (const address of change.ended) this.#endInterval.run(seq, entry.ref, address);
    for (const address of change.opened) this.#openInterval.run(entry.ref, address, seq);
    this.#index.setAgent(entry.ref, registration, change, seq);
  }
}

const intervalOf = ({ from_seq, until_seq }: MembershipRow) => ({ fromSeq: from_seq, untilSeq: until_seq });
