import { RelayError } from 'agent-relay-protocol';
import type { ApprovalQuestion } from 'agent-relay-provider';
import type { ToolUse } from 'agent-relay-provider/kit';
import { lenient, lenientList } from 'agent-relay-wire';
import { z } from 'zod';
import { parseRequest, type ServerRequest } from '../app-server/server-requests.ts';

const FileUpdate = z.looseObject({
  path: z.string(),
  kind: z.looseObject({ type: z.string(), move_path: z.string().nullish() }),
  diff: z.string().nullish(),
});
export type FileUpdate = z.infer<typeof FileUpdate>;
const FileUpdates = z.looseObject({ changes: z.array(FileUpdate) });

/** The changes that an item would make, whole: where one of them cannot be read nobody knows what they would allow, so there are none. */
export const readChanges = (item: unknown): readonly FileUpdate[] => FileUpdates.safeParse(item).data?.changes ?? [];

/** What Codex asks, and what it is answered. */
export interface CodexApproval {
  readonly question: ApprovalQuestion;
  /** What it comes to, for the one rule about tools. */
  readonly use: ToolUse;
  /** The yes to this one use; null where Codex knows none, or asks for more than one use. */
  readonly allow: object | null;
  readonly deny: object;
  /** The MCP tool that it would call. */
  readonly call?: { readonly server: string; readonly tool: string; readonly input: unknown };
}

export interface ApprovalContext {
  readonly cwd: string;
  /** The changes that an item is about: an approval of edits names only the item. */
  readonly changesOf: (itemId: string) => readonly FileUpdate[];
}

const text = lenient(z.string());
const about = { threadId: z.string(), turnId: text, itemId: text, reason: text };

/** Exported for the test that holds every schema to its rule. */
export const approvalSchemas = {
  command: z.looseObject({ ...about, command: text, cwd: text, networkApprovalContext: lenient(z.json()) }),
  /** Whatever stands in `grantRoot` asks for more than one use. */
  fileChange: z.looseObject({ ...about, grantRoot: z.unknown().optional() }),
  permissions: z.looseObject({ ...about, permissions: lenient(z.json()) }),
  elicitation: z.looseObject({
    ...about,
    serverName: z.string().catch('a server'),
    message: text,
    title: text,
    _meta: lenient(z.looseObject({ codex_approval_kind: text, tool_name: text, tool_params: lenient(z.json()) })),
  }),
  userInput: z.looseObject({ ...about, questions: lenientList(z.looseObject({ id: z.string(), question: z.string().catch('') })) }),
} as const;
const {
  command: Command,
  fileChange: FileChange,
  permissions: Permissions,
  elicitation: Elicitation,
  userInput: UserInput,
} = approvalSchemas;

/**
 * Reads what Codex asks. What this does not know is refused, which Codex takes for a no. Nothing here is ever allowed for longer than this one
 * use: no session-wide yes, no rule in the user's settings.
 */
export function readApproval(request: ServerRequest, context: ApprovalContext): CodexApproval {
  switch (request.method) {
    case 'item/commandExecution/requestApproval':
      return commandApproval(parseRequest(Command, request), context);
    case 'item/fileChange/requestApproval':
      return editApproval(parseRequest(FileChange, request), context);
    case 'item/permissions/requestApproval': {
      const { permissions, ...params } = parseRequest(Permissions, request);
      const input = permissions === undefined ? {} : { input: { permissions } };
      const question = { ...placeOf(params), kind: 'other', title: params.reason ?? 'More permissions', ...input } as const;
      return { question, use: other(question), allow: null, deny: { permissions: {}, scope: 'turn' } };
    }
    case 'mcpServer/elicitation/request':
      return elicitation(parseRequest(Elicitation, request));
    case 'item/tool/requestUserInput': {
      const params = parseRequest(UserInput, request);
      const answers = Object.fromEntries(params.questions.map(({ id }) => [id, { answers: ['Nobody can answer now: decide yourself.'] }]));
      const title = params.questions.map(({ question }) => question).join(' ') || 'A question';
      const question = { ...placeOf(params), kind: 'other', title } as const;
      return { question, use: { kind: 'question', name: title }, allow: null, deny: { answers } };
    }
    default:
      throw new RelayError('unknown_method', `This client does not answer ${request.method}`);
  }
}

function commandApproval(params: z.infer<typeof Command>, context: ApprovalContext): CodexApproval {
  const { command, reason, networkApprovalContext: network } = params;
  const question = {
    ...placeOf(params),
    kind: 'execute',
    title: titled('Run', command?.split('\n', 1)[0] ?? 'a command', reason),
    cwd: params.cwd ?? context.cwd,
    input: { command: command ?? '', ...(reason ? { reason } : {}), ...(network === undefined || network === null ? {} : { network }) },
  } as const;
  return {
    question,
    use: other(question),
    // Without the command nobody knows what they would allow.
    allow: command ? { decision: 'accept' } : null,
    deny: { decision: 'decline' },
  };
}

function editApproval(params: z.infer<typeof FileChange>, { cwd, changesOf }: ApprovalContext): CodexApproval {
  const changes = params.itemId ? changesOf(params.itemId) : [];
  const paths = changes.flatMap(({ path, kind }) => (kind.move_path ? [path, kind.move_path] : [path]));
  const shown = changes.map(({ path, kind, diff }) => ({ path, change: kind.type, moveTo: kind.move_path ?? null, diff: diff ?? null }));
  const title = titled('Edit', paths.join(', ') || (typeof params.grantRoot === 'string' ? params.grantRoot : 'files'), params.reason);
  return {
    question: { ...placeOf(params), kind: 'edit', title, cwd, input: { changes: shown } },
    use: { kind: 'edit', name: title, paths },
    allow: params.grantRoot || paths.length === 0 ? null : { decision: 'accept' },
    deny: { decision: 'decline' },
  };
}

function elicitation(params: z.infer<typeof Elicitation>): CodexApproval {
  const { serverName, _meta: meta } = params;
  const isToolCall = meta?.codex_approval_kind === 'mcp_tool_call';
  const title = params.message ?? params.title ?? `A question of ${serverName}`;
  const input = { server: serverName, tool: meta?.tool_name ?? null, arguments: meta?.tool_params ?? null };
  const question = { ...placeOf(params), kind: 'other', title, ...(isToolCall ? { input } : {}) } as const;
  return {
    question,
    use: other(question),
    // A form wants words, which a yes is not.
    allow: isToolCall ? { action: 'accept', content: {}, _meta: null } : null,
    deny: { action: 'decline', content: null, _meta: null },
    ...(isToolCall && meta?.tool_name ? { call: { server: serverName, tool: meta.tool_name, input: meta.tool_params ?? {} } } : {}),
  };
}

const other = ({ title }: Pick<ApprovalQuestion, 'title'>): ToolUse => ({ kind: 'other', name: title });

const titled = (verb: string, what: string, reason: string | null | undefined): string => `${verb} ${what}${reason ? ` (${reason})` : ''}`;

const placeOf = ({ turnId, itemId }: { readonly turnId?: string | null | undefined; readonly itemId?: string | null | undefined }) => ({
  ...(turnId ? { turnId } : {}),
  ...(itemId ? { itemId } : {}),
});
