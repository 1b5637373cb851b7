import type { Agent, ApprovalMode } from 'agent-relay-protocol';
import { RecentSet } from 'agent-relay-wire';
import type { AddressEntry, Directory } from '../domain/directory.ts';
import { addressesOf, changedMemberships, type Interval } from '../domain/membership.ts';

/** Where addresses are looked up that memory does not hold. Asked inside writes as well: it sees what they have written so far. */
export interface AddressSource {
  find(workspace: string, agentId: string): StoredAddress | undefined;
  byRef(ref: number): StoredAddress | undefined;
}

/** An address with the stretches in which it belonged to others, oldest first. */
export interface StoredAddress extends NewAddress {
  readonly intervals: readonly (Interval & { readonly address: string })[];
}

/** An address as it is stored. */
export type NewAddress = Pick<AddressEntry, 'ref' | 'workspace' | 'agentId' | 'epoch' | 'approval' | 'provenThrough'>;

/** Who there is, in memory, so that a send asks the database nothing. Of ids without an agent only the last ones are held. */
export interface AgentIndex {
  /** Everybody of a workspace, current as of the last commit. */
  in(workspace: string): Directory;
  /** Makes ids bound whose tokens are not in the store, while it is open: those of configured integrations. */
  reserve(workspace: string, agentIds: Iterable<string>): void;
  workspaces(): Iterable<string>;
}

/** Who is at an address, and who started it. */
export type IndexedAgent = Pick<AddressEntry, 'agent' | 'spawnedBy'>;

export interface MembershipChange {
  readonly opened: readonly string[];
  readonly ended: readonly string[];
}

interface Entry extends AddressEntry {
  epoch: number;
  spawnedBy: string | null;
  approval: ApprovalMode;
  provenThrough: number;
  agent: Agent | null;
  intervals: Map<string, readonly Interval[]>;
}

interface WorkspaceIndex {
  readonly byId: Map<string, Entry>;
  readonly registered: Set<Entry>;
  readonly members: Map<string, Set<Entry>>;
  readonly names: Map<string, Set<Entry>>;
}

const nobody: ReadonlySet<AddressEntry> = new Set();

/** So many ids without an agent, and so many that are no address at all, are held; those nobody has asked for longest go first. */
const DORMANT_HELD = 10_000;

/** The index as the store keeps it: changed inside a write, made anew when the write is rolled back. */
export class MutableAgentIndex implements AgentIndex {
  readonly #workspaces = new Map<string, WorkspaceIndex>();
  readonly #byRef = new Map<number, Entry>();
  /** How many tokens people made for an agent; none has no entry. */
  readonly #bound = new Map<string, number>();
  readonly #reserved = new Set<string>();
  /** Entries without an agent; the one asked for last is last. */
  readonly #dormant = new Set<Entry>();
  readonly #absent: RecentSet<string>;
  readonly #limit: number;
  readonly #directories = new Map<string, Directory>();
  #source: AddressSource | null = null;
  #version = 0;

  constructor(limit = DORMANT_HELD) {
    this.#limit = limit;
    this.#absent = new RecentSet(limit);
  }

  /** From now on what is not held is looked up there. */
  readFrom(source: AddressSource): void {
    this.#source = source;
  }

  get version(): number {
    return this.#version;
  }

  /** How many addresses are in memory. */
  get held(): number {
    return this.#byRef.size;
  }

  in(workspace: string): Directory {
    let directory = this.#directories.get(workspace);
    if (!directory) {
      const version = () => this.#version;
      directory = {
        find: (agentId) => this.find(workspace, agentId),
        agents: () => this.agents(workspace),
        members: (address) => this.members(workspace, address),
        named: (name) => this.named(workspace, name),
        isBound: (agentId) => this.isBound(workspace, agentId),
        get version() {
          return version();
        },
      };
      this.#directories.set(workspace, directory);
    }
    return directory;
  }

  find(workspace: string, agentId: string): AddressEntry | undefined {
    const held = this.#workspaces.get(workspace)?.byId.get(agentId);
    if (held === undefined) return this.#lookUp(workspace, agentId);
    if (held.agent === null) this.#touch(held);
    return held;
  }

  byRef(ref: number): AddressEntry | undefined {
    const held = this.#byRef.get(ref);
    if (held !== undefined) return held;
    const stored = this.#source?.byRef(ref);
    return stored && this.#wake(stored);
  }

  agents(workspace: string): Iterable<AddressEntry> {
    return this.#workspaces.get(workspace)?.registered ?? nobody;
  }

  members(workspace: string, address: string): ReadonlySet<AddressEntry> {
    return this.#workspaces.get(workspace)?.members.get(address) ?? nobody;
  }

  named(workspace: string, name: string): ReadonlySet<AddressEntry> {
    return this.#workspaces.get(workspace)?.names.get(name) ?? nobody;
  }

  isBound(workspace: string, agentId: string): boolean {
    const key = keyOf(workspace, agentId);
    return this.#bound.has(key) || this.#reserved.has(key);
  }

  /** An integration speaks for it. */
  isReserved(workspace: string, agentId: string): boolean {
    return this.#reserved.has(keyOf(workspace, agentId));
  }

  reserve(workspace: string, agentIds: Iterable<string>): void {
    this.#version += 1;
    for (const agentId of agentIds) this.#reserved.add(keyOf(workspace, agentId));
  }

  addBound(workspace: string, agentId: string, more: 1 | -1): void {
    this.#version += 1;
    const key = keyOf(workspace, agentId);
    const count = (this.#bound.get(key) ?? 0) + more;
    if (count > 0) this.#bound.set(key, count);
    else this.#bound.delete(key);
  }

  clearBound(): void {
    this.#version += 1;
    this.#bound.clear();
  }

  workspaces(): Iterable<string> {
    return this.#workspaces.keys();
  }

  clear(): void {
    this.#version += 1;
    this.#workspaces.clear();
    this.#byRef.clear();
    this.#dormant.clear();
    this.#absent.clear();
  }

  addAddress({ ref, workspace, agentId, epoch, approval, provenThrough }: NewAddress): void {
    const entry: Entry = { ref, workspace, agentId, epoch, spawnedBy: null, approval, provenThrough, agent: null, intervals: new Map() };
    this.#workspace(workspace).byId.set(agentId, entry);
    this.#byRef.set(ref, entry);
    this.#absent.delete(keyOf(workspace, agentId));
  }

  /** Files an interval as it was stored, oldest first. */
  addInterval(ref: number, address: string, interval: Interval): void {
    const entry = this.#byRef.get(ref);
    if (!entry) return;
    if (entry.agent !== null || interval.untilSeq === null) this.#version += 1;
    entry.intervals.set(address, [...(entry.intervals.get(address) ?? []), interval]);
    if (interval.untilSeq === null) this.#join(entry, address);
  }

  /** What `setAgent` would open and end for this agent. */
  membershipChange(ref: number, agent: Agent | null): MembershipChange {
    const entry = this.byRef(ref);
    const current: string[] = [];
    for (const [address, intervals] of entry?.intervals ?? []) if (intervals.at(-1)?.untilSeq === null) current.push(address);
    return changedMemberships(current, agent === null ? new Set() : addressesOf(agent));
  }

  setProven(ref: number, provenThrough: number): void {
    const entry = this.#byRef.get(ref);
    if (!entry) return;
    this.#version += 1;
    entry.provenThrough = provenThrough;
  }

  /** Puts or removes an agent; opened memberships begin, ended ones end at `seq`. */
  setAgent(ref: number, { agent, spawnedBy }: IndexedAgent, change: MembershipChange, seq: number): void {
    const entry = this.#byRef.get(ref);
    if (!entry) return;
    if (entry.agent?.nodeId !== agent?.nodeId || change.opened.length > 0 || change.ended.length > 0) this.#version += 1;
    const workspace = this.#workspace(entry.workspace);
    if (entry.agent && entry.agent.name !== agent?.name) this.#unname(workspace, entry, entry.agent.name);
    if (agent) {
      nameOf(workspace, agent.name).add(entry);
      workspace.registered.add(entry);
      this.#dormant.delete(entry);
      entry.epoch = Math.max(entry.epoch, agent.epoch);
      entry.approval = agent.approval;
    } else {
      workspace.registered.delete(entry);
    }
    entry.agent = agent;
    if (!agent) this.#touch(entry);
    entry.spawnedBy = spawnedBy;
    for (const address of change.ended) this.#leave(workspace, entry, address, seq);
    for (const address of change.opened) {
      entry.intervals.set(address, [...(entry.intervals.get(address) ?? []), { fromSeq: seq, untilSeq: null }]);
      this.#join(entry, address);
    }
  }

  /** Forgets intervals that ended at or before `floor`: nothing readable lies in them. */
  dropIntervalsBefore(floor: number): void {
    this.#version += 1;
    for (const entry of this.#byRef.values()) {
      for (const [address, intervals] of entry.intervals) {
        const kept = intervals.filter((interval) => interval.untilSeq === null || interval.untilSeq > floor);
        if (kept.length === intervals.length) continue;
        if (kept.length === 0) entry.intervals.delete(address);
        else entry.intervals.set(address, kept);
      }
    }
  }

  #lookUp(workspace: string, agentId: string): Entry | undefined {
    const key = keyOf(workspace, agentId);
    if (this.#source === null || this.#absent.has(key)) return undefined;
    const stored = this.#source.find(workspace, agentId);
    if (stored) return this.#wake(stored);
    this.#absent.add(key);
    return undefined;
  }

  #wake(stored: StoredAddress): Entry | undefined {
    this.addAddress(stored);
    for (const { address, ...interval } of stored.intervals) this.addInterval(stored.ref, address, interval);
    const entry = this.#byRef.get(stored.ref);
    if (entry) this.#touch(entry);
    return entry;
  }

  /** Holds an entry without an agent, and lets go of the one that nobody has asked for longest. */
  #touch(entry: Entry): void {
    this.#dormant.delete(entry);
    this.#dormant.add(entry);
    // Without a source what is let go of is lost.
    if (this.#source === null) return;
    for (const oldest of this.#dormant) {
      if (this.#dormant.size <= this.#limit) return;
      this.#dormant.delete(oldest);
      this.#byRef.delete(oldest.ref);
      this.#workspaces.get(oldest.workspace)?.byId.delete(oldest.agentId);
    }
  }

  #leave(workspace: WorkspaceIndex, entry: Entry, address: string, seq: number): void {
    const intervals = entry.intervals.get(address) ?? [];
    entry.intervals.set(
      address,
      intervals.map((interval) => (interval.untilSeq === null ? { fromSeq: interval.fromSeq, untilSeq: seq } : interval)),
    );
    const members = workspace.members.get(address);
    members?.delete(entry);
    if (members?.size === 0) workspace.members.delete(address);
  }

  #join(entry: Entry, address: string): void {
    const workspace = this.#workspace(entry.workspace);
    const members = workspace.members.get(address) ?? new Set();
    members.add(entry);
    workspace.members.set(address, members);
  }

  #unname(workspace: WorkspaceIndex, entry: Entry, name: string): void {
    const named = workspace.names.get(name);
    named?.delete(entry);
    if (named?.size === 0) workspace.names.delete(name);
  }

  #workspace(workspace: string): WorkspaceIndex {
    let found = this.#workspaces.get(workspace);
    if (!found) {
      found = { byId: new Map(), registered: new Set(), members: new Map(), names: new Map() };
      this.#workspaces.set(workspace, found);
    }
    return found;
  }
}

const keyOf = (workspace: string, agentId: string): string => `${workspace}\n${agentId}`;

function nameOf(workspace: WorkspaceIndex, name: string): Set<Entry> {
  let named = workspace.names.get(name);
  if (!named) {
    named = new Set();
    workspace.names.set(name, named);
  }
  return named;
}
