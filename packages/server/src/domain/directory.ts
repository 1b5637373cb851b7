import type { Agent, ApprovalMode } from 'agent-relay-protocol';
import type { Member } from './audience.ts';

/** One address: what a message can be sent to and an epoch is counted for. `agent` is null before registration and after removal. */
export interface AddressEntry extends Member {
  readonly ref: number;
  readonly workspace: string;
  readonly epoch: number;
  readonly spawnedBy: string | null;
  /** What holds for the agent, or held when it was removed: leaving and coming back widens nothing. */
  readonly approval: ApprovalMode;
  /** Mail up to this number was, or is, in the hands of sessions that held a token: no program without one reads it. */
  readonly provenThrough: number;
  readonly agent: Agent | null;
}

/** Who there is in one workspace: inside a decision as of that decision, elsewhere as of the last commit. */
export interface Directory {
  find(agentId: string): AddressEntry | undefined;
  /** Registered agents, in no order. */
  agents(): Iterable<AddressEntry>;
  /** The agents that belong to a fan-out address now. */
  members(address: string): ReadonlySet<AddressEntry>;
  named(name: string): ReadonlySet<AddressEntry>;
  /** Whether a token speaks for this id in every epoch, registered or not: one that a person made, or an integration's. */
  isBound(agentId: string): boolean;
  /** Another number whenever who belongs to what, who hosts whom, or what is bound and proven may have changed. */
  readonly version: number;
}
