import type { SpawnMode } from 'agent-relay-protocol';
import type { AgentSession, ProviderAvailability } from 'agent-relay-provider';

export interface SessionRequest {
  readonly provider: string;
  /** Absolute; exists. */
  readonly cwd: string;
  /** What people know the session by, where it has a project. */
  readonly projectId: string | null;
  readonly mode: SpawnMode;
  readonly model?: string | undefined;
  readonly instructions: string;
  /** The vendor's own id of the conversation that goes on. */
  readonly resume?: string | undefined;
  /** Further variables of the agent's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A person at the other end of the socket may be asked. */
  readonly ask?: boolean;
  /** Further arguments of the vendor's program, which whoever owns the machine has allowed. */
  readonly extraArgs?: readonly string[];
  readonly signal: AbortSignal;
}

export interface FoundProvider {
  readonly id: string;
  readonly found: ProviderAvailability;
}

/** Where sessions come from: this machine's providers alone, or as agents of a relay. */
export interface SessionSource {
  readonly providers: readonly string[];
  /** What is installed. Remembered for a while; asks programs, and holds nothing else up. */
  detect(): Promise<readonly FoundProvider[]>;
  /** Whether any is; resolves with the first, so that a program that takes long to say its version holds no start up. */
  hasAny(): Promise<boolean>;
  /** @throws RelayError as `Provider.start` does. Every delta of its events is kept for its reader (`whenUnread: 'wait'`). */
  start(request: SessionRequest): Promise<AgentSession>;
  close(): Promise<void>;
}
