import type { Session, SessionStatus } from 'agent-relay-protocol';
import type { Page } from '../domain/change.ts';
import type { BeginningFacts, Decision, SessionFacts } from '../domain/facts.ts';
import type { Asked } from './asked.ts';

export interface SessionQuery extends Asked {
  readonly workspace: string;
  readonly agentId?: string | undefined;
  readonly status?: SessionStatus | undefined;
  /** Where the page before ended, as its `next` said. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Sessions, each written in one commit with what it means for its agent. */
export interface SessionStore {
  begin<Answer>(workspace: string, agentId: string, decide: (facts: BeginningFacts) => Decision<Answer>): Promise<Answer>;
  /** Changes a session. Null when there is none. */
  change<Answer>(
    workspace: string,
    sessionId: string,
    decide: (session: Session, facts: SessionFacts) => Decision<Answer>,
  ): Promise<Answer | null>;
  get(workspace: string, sessionId: string): Promise<Session | null>;
  /** Newest first. */
  list(query: SessionQuery): Promise<Page<Session>>;
  /** The session an agent has that is neither ended nor failed. */
  unfinishedOf(workspace: string, agentId: string): Promise<Session | null>;
  /** All sessions, of all workspaces, that are neither ended nor failed. */
  unfinished(): Promise<readonly { readonly workspace: string; readonly session: Session }[]>;
}
