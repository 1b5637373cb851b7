import type { AgentEvent, ToolKind } from 'agent-relay-protocol';
import { RelayError } from 'agent-relay-protocol';
import { z } from 'zod';
import { parseRequest, type ServerRequest } from '../app-server/server-requests.ts';

type ApprovalRequested = Extract<AgentEvent, { type: 'approval.requested' }>;

export interface AnsweredApproval {
  /** What goes back to Codex. */
  readonly response: object;
  readonly events: readonly AgentEvent[];
}

export interface ApprovalContext {
  /** The files that an item is about: an approval of edits names only the item. */
  readonly pathsOf: (itemId: string) => readonly string[];
}

const about = { threadId: z.string(), turnId: z.string().nullish(), itemId: z.string().nullish(), reason: z.string().nullish() };
const Command = z.looseObject({ ...about, command: z.string().nullish(), cwd: z.string().nullish() });
const FileChange = z.looseObject({ ...about, grantRoot: z.string().nullish() });
const Permissions = z.looseObject(about);
const Elicitation = z.looseObject({
  ...about,
  serverName: z.string().default(''),
  message: z.string().nullish(),
  title: z.string().nullish(),
});
const UserInput = z.looseObject({
  ...about,
  questions: z.array(z.looseObject({ id: z.string(), question: z.string().default('') })).default([]),
});

/**
 * Answers what Codex asks. No person is asked here yet, so whatever would leave the session's sandbox is declined, and told as an
 * approval that was denied by the session's mode. What this does not know is refused, which Codex takes for a no.
 */
export function answerApproval(request: ServerRequest, { pathsOf }: ApprovalContext): AnsweredApproval {
  switch (request.method) {
    case 'item/commandExecution/requestApproval': {
      const params = parseRequest(Command, request);
      const command = params.command ?? 'a command';
      return declined(request, params, {
        kind: 'execute',
        title: params.reason ?? command,
        input: { command },
        response: { decision: 'decline' },
      });
    }
    case 'item/fileChange/requestApproval': {
      const params = parseRequest(FileChange, request);
      const paths = params.itemId ? pathsOf(params.itemId) : [];
      const title = params.reason ?? `Edit ${paths.join(', ') || (params.grantRoot ?? 'files')}`;
      return declined(request, params, { kind: 'edit', title, input: { paths: [...paths] }, response: { decision: 'decline' } });
    }
    case 'item/permissions/requestApproval': {
      const params = parseRequest(Permissions, request);
      return declined(request, params, {
        kind: 'other',
        title: params.reason ?? 'More permissions',
        response: { permissions: {}, scope: 'turn' },
      });
    }
    case 'mcpServer/elicitation/request': {
      const params = parseRequest(Elicitation, request);
      const title = params.message ?? params.title ?? `A question of ${params.serverName}`;
      return declined(request, params, { kind: 'other', title, response: { action: 'decline', content: null, _meta: null } });
    }
    case 'item/tool/requestUserInput': {
      const params = parseRequest(UserInput, request);
      const answers = Object.fromEntries(params.questions.map(({ id }) => [id, { answers: ['Nobody can answer now: decide yourself.'] }]));
      const title = params.questions.map(({ question }) => question).join(' ') || 'A question';
      return declined(request, params, { kind: 'other', title, response: { answers } });
    }
    default:
      throw new RelayError('unknown_method', `This client does not answer ${request.method}`);
  }
}

interface Declined {
  readonly kind: ToolKind;
  readonly title: string;
  readonly input?: ApprovalRequested['input'];
  readonly response: object;
}

function declined(
  { id }: ServerRequest,
  { turnId, itemId }: { turnId?: string | null | undefined; itemId?: string | null | undefined },
  { kind, title, input, response }: Declined,
): AnsweredApproval {
  const approvalId = `codex-${id}`;
  const requested: ApprovalRequested = {
    type: 'approval.requested',
    approvalId,
    kind,
    title,
    options: [],
    ...(turnId ? { turnId } : {}),
    ...(itemId ? { itemId } : {}),
    ...(input === undefined ? {} : { input }),
  };
  return { response, events: [requested, { type: 'approval.resolved', approvalId, outcome: 'denied', by: 'policy' }] };
}
