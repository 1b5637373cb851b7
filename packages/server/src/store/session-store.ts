import type { PendingApproval, Session, SessionStatus } from 'agent-relay-protocol';
import type { AgentFound, Page, SessionChange } from '../domain/change.ts';

export interface SessionQuery {
  readonly workspace: string;
  readonly agentId?: string | undefined;
  readonly status?: SessionStatus | undefined;
  /** Where the page before ended, as its `next` said. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Sessions, each written in one commit with what it means for its agent. */
export interface SessionStore {
  /** Begins a session. `unfinished` is the one the agent still has. */
  begin(workspace: string, agentId: string, decide: (found: AgentFound, unfinished: Session | null) => SessionChange): Promise<Session>;
  /** Changes a session; `decide` answers null to leave it. Resolves with the session as it then is, null when there is none. `pending` is what it asked. */
  change(
    workspace: string,
    sessionId: string,
    decide: (session: Session, found: AgentFound, pending: readonly PendingApproval[]) => SessionChange | null,
  ): Promise<Session | null>;
  get(workspace: string, sessionId: string): Promise<Session | null>;
  /** Newest first. */
  list(query: SessionQuery): Promise<Page<Session>>;
  /** The session an agent has that is neither ended nor failed. */
  unfinishedOf(workspace: string, agentId: string): Promise<Session | null>;
  /** All sessions, of all workspaces, that are neither ended nor failed. */
  unfinished(): Promise<readonly { readonly workspace: string; readonly session: Session }[]>;
}
