import {
  exampleFields,
  fieldsOf,
  HOOK_MESSAGE_KIND,
  type HookFields,
  type HookTrigger,
  OWNER_AGENT_ID,
  type RelayEvent,
} from 'agent-relay-protocol';
import { isDirect } from './audience.ts';
import { isBuiltIn } from './membership.ts';
import { isNotice } from './notices.ts';

/** Something that the relay's own hooks may be set off by. */
export interface RelayOccurrence {
  readonly trigger: HookTrigger;
  /** Whose event it was; null where no agent is concerned. */
  readonly agentId: string | null;
  /** In whose name a message about it goes: somebody whom the loop guard counts, wherever an agent had a part in it. */
  readonly from: string;
  readonly fields: HookFields;
}

const taskTriggers: Readonly<Record<string, HookTrigger>> = {
  'task.created': 'task_created',
  'task.claimed': 'task_claimed',
  'task.completed': 'task_completed',
  'task.failed': 'task_failed',
  'task.canceled': 'task_canceled',
};

/** What an event of the log is to hooks; null for most. What hooks sent, or did, sets nothing off. */
export function hookOccurrence(event: RelayEvent): RelayOccurrence | null {
  switch (event.type) {
    case 'session.started': {
      const { agentId, provider, sessionId: session, cwd, model } = event.session;
      return occurrence('spawned', agentId, { provider, session, cwd: cwd ?? '', model: model ?? '' });
    }
    case 'session.ended': {
      const { agentId, provider, sessionId: session, cwd, reason } = event.session;
      return occurrence('released', agentId, { provider, session, cwd: cwd ?? '', reason: reason ?? '' });
    }
    case 'agent.stalled':
      return occurrence('stalled', event.agentId, { detail: event.detail ?? `It does not take its mail: ${event.waiting} waiting` });
    case 'approval.requested': {
      const { agentId, approvalId: approval, kind, title } = event.approval;
      return occurrence('approval_needed', agentId, { approval, kind, title });
    }
    case 'message.new': {
      const { message } = event;
      if (message.kind === HOOK_MESSAGE_KIND || isNotice(message) || !isDirect(message.to)) return null;
      const { id, from, kind, body: text } = message;
      return {
        ...occurrence('message_received', message.to.slice(3), { message: id, from, kind, text }),
        ...speaker(message.to.slice(3), from),
      };
    }
    case 'task.created':
    case 'task.claimed':
    case 'task.completed':
    case 'task.failed':
    case 'task.canceled': {
      const { id, title, status, source, claimedBy } = event.task;
      const trigger = taskTriggers[event.type];
      return trigger === undefined
        ? null
        : { ...occurrence(trigger, claimedBy, { task: id, title, status, source }), ...speaker(claimedBy ?? source, source) };
    }
    default:
      return null;
  }
}

/** An example of what the relay's own hooks are told: of a session only where it begins or ends. */
export function exampleOfOccurrence(trigger: HookTrigger): HookFields {
  const fields = exampleFields(trigger);
  return trigger === 'spawned' || trigger === 'released' ? fields : { ...fields, provider: '', session: '', cwd: '' };
}

const occurrence = (trigger: HookTrigger, agentId: string | null, said: Readonly<Record<string, string | number>>): RelayOccurrence => ({
  trigger,
  agentId,
  from: agentId ?? OWNER_AGENT_ID,
  fields: fieldsOf(trigger, { ...said, agent: agentId ?? 'relay' }),
});

const speaker = (whose: string, other: string): Pick<RelayOccurrence, 'from'> => {
  const from = isBuiltIn(whose) ? other : whose;
  return { from: isBuiltIn(from) ? OWNER_AGENT_ID : from };
};
