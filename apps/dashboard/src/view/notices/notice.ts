import type { RelayEvent } from 'agent-relay-client';
import { OWNER_AGENT_ID } from 'agent-relay-protocol';
import { visible } from '../approvals/approval-words.ts';

/** What a person is told of while they look elsewhere. */
export interface DesktopNotice {
  readonly title: string;
  readonly body: string;
  /** Where it leads. */
  readonly path: string;
  /** A later one with the same takes its place. */
  readonly tag: string;
}

const SHOWN_CHARACTERS = 160;

/** Whatever does not go on without a person: what an agent asks, that one stalls, and what one writes to the owner. */
export function noticeOf(event: RelayEvent): DesktopNotice | null {
  switch (event.type) {
    case 'approval.requested': {
      const { agentId, approvalId, title } = event.approval;
      return { title: `${agentId} asks`, body: short(title), path: '/approvals', tag: `approval/${agentId}/${approvalId}` };
    }
    case 'agent.stalled': {
      const { agentId, waiting, cause, detail = '' } = event;
      const mail = waiting === 1 ? 'a message waits' : `${waiting} messages wait`;
      const body = cause === 'turn' ? short(detail) : `Not read: ${mail}`;
      return { title: `${agentId} has stalled`, body, path: pathOf(agentId), tag: `stalled/${agentId}` };
    }
    case 'message.new': {
      const { id, from, to, subject, body } = event.message;
      if (to !== `id:${OWNER_AGENT_ID}` || from === OWNER_AGENT_ID) return null;
      return { title: `${from} writes to you`, body: short(subject ?? body), path: `/messages/${id}`, tag: `message/${id}` };
    }
    default:
      return null;
  }
}

const pathOf = (agentId: string): string => `/agents/${encodeURIComponent(agentId)}`;

const short = (text: string): string => {
  const line = visible(text.replace(/\s+/gu, ' ').trim());
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
};
