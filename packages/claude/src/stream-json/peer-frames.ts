import { RelayError } from 'agent-relay-protocol';
import { lenient, lenientList } from 'agent-relay-wire';
import { isLoopbackHost } from 'agent-relay-wire/node';
import { z } from 'zod';
import { AskSettingsSchema } from './ask-settings.ts';
import { checkOutgoing, type OutgoingFrame } from './outgoing.ts';
import { PermissionRuleSchema } from './permission-rule.ts';

/**
 * What anybody who holds a connection may ask a CLI. What is not here (settings, MCP servers, plugins, hooks, the environment, files, the
 * permission mode) runs code on the CLI's machine, reads from it, or widens what the CLI may do unasked.
 */
export const peerControls = [
  'interrupt',
  'set_model',
  'set_max_thinking_tokens',
  'cancel_async_message',
  'stop_task',
  'end_session',
  'mcp_status',
  'get_context_usage',
  'generate_session_title',
  'side_question',
] as const;
export type PeerControl = (typeof peerControls)[number];

/** @throws RelayError `forbidden`, naming the subtype. */
export function assertPeerControl(subtype: string): PeerControl {
  const known = peerControls.find((each) => each === subtype);
  if (known !== undefined) return known;
  throw new RelayError('forbidden', `Nobody outside may ask Claude Code for ${subtype.slice(0, 80)}`);
}

const JsonObject = z.record(z.string(), z.unknown());
const text = lenient(z.string());

/** Of a user's frame what is read here; a CLI takes more, such as a message that counts as its own. */
const userFields = ['type', 'uuid', 'session_id', 'parent_tool_use_id', 'message', 'priority', 'shouldQuery'] as const;

/** Of what an allow may change only rules that end with the session. */
const SessionRules = z.object({
  type: z.literal('addRules'),
  rules: z.array(PermissionRuleSchema).length(1),
  behavior: z.literal('allow'),
  destination: z.literal('session'),
});
const PermissionBody = z.discriminatedUnion('behavior', [
  z.object({ behavior: z.literal('allow'), updatedInput: lenient(JsonObject), updatedPermissions: lenientList(SessionRules) }),
  z.object({ behavior: z.literal('deny'), message: z.string().catch('Refused'), interrupt: lenient(z.boolean()) }),
]);
/** A hook from outside may hold a tool back, and not let one past its question; where it is the question, it may answer with yes as a permission is. */
const HookBody = z.object({
  hookSpecificOutput: z.discriminatedUnion('hookEventName', [
    z.object({
      hookEventName: z.literal('PreToolUse'),
      permissionDecision: z.enum(['deny', 'ask']),
      permissionDecisionReason: text,
    }),
    z.object({ hookEventName: z.literal('PermissionRequest'), decision: z.object({ behavior: z.literal('allow') }) }),
  ]),
});

/**
 * A frame from outside, cut down to what may reach a CLI: prompts, the control requests of `peerControls`, and answers that allow or refuse. An
 * answer loses what would write settings, change the mode, or let a tool past its question.
 * @throws RelayError `validation_failed` for a frame that is none, `forbidden` for one that may not be said from outside.
 */
export function checkPeerFrame(frame: unknown): OutgoingFrame {
  const checked = checkOutgoing(frame);
  switch (checked.type) {
    case 'user':
      return checkOutgoing(Object.fromEntries(userFields.flatMap((name) => (name in checked ? [[name, checked[name]]] : []))));
    case 'control_request':
      assertPeerControl(checked.request.subtype);
      return checked;
    case 'control_response':
      return checked.response.subtype === 'error'
        ? checked
        : { ...checked, response: { ...checked.response, response: answerFrom(checked.response.response) } };
    case 'update_environment_variables':
      throw new RelayError('forbidden', 'Nobody outside may set the environment of Claude Code');
    case 'control_cancel_request':
    case 'keep_alive':
      return checked;
  }
}

/** Anything but a permission or a refusal is the answer that lets things take their course. */
function answerFrom(body: unknown): Record<string, unknown> {
  const permission = PermissionBody.safeParse(body);
  if (permission.success) return withoutAbsent(permission.data);
  const hook = HookBody.safeParse(body);
  return hook.success ? hook.data : {};
}

const withoutAbsent = (body: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)));

const HookMatcher = z.object({ matcher: text, hookCallbackIds: z.array(z.string()), timeout: lenient(z.number()) });
const Hooks = z.object({
  PreToolUse: lenientList(HookMatcher),
  PostToolUse: lenientList(HookMatcher),
  PermissionRequest: lenientList(HookMatcher),
});

/**
 * What may go with an `initialize` from outside: hooks that ask back, before and after tools and for a permission, and what the model is told beside its prompts. Commands,
 * agents and servers do not.
 */
export function peerInitialize(request: Readonly<Record<string, unknown>>) {
  const hooks = Hooks.safeParse(request['hooks']);
  const { appendSystemPrompt } = request;
  return {
    subtype: 'initialize',
    ...(hooks.success ? { hooks: withoutAbsent(hooks.data) } : {}),
    ...(typeof appendSystemPrompt === 'string' ? { appendSystemPrompt } : {}),
  };
}

const McpServers = z.record(
  z.string().regex(/^[A-Za-z0-9_-]{1,64}$/u),
  z.object({
    type: z.literal('http'),
    url: z.url({ protocol: /^https?$/u }),
    headers: z.record(z.string(), z.string()).default({}),
    alwaysLoad: lenient(z.boolean()),
  }),
);

/** MCP servers on the very host that the CLI has dialled. A program to start, or another address, is somebody else's to decide. */
function peerServers(request: Readonly<Record<string, unknown>>, dialled: URL): Record<string, unknown> {
  const servers = McpServers.safeParse(request['servers']);
  if (servers.success && Object.values(servers.data).every(({ url }) => isSameHost(new URL(url), dialled)))
    return { subtype: 'mcp_set_servers', servers: servers.data };
  throw new RelayError('forbidden', 'Whom Claude Code has dialled may give it MCP servers over HTTP on its own host, and no others');
}

const isSameHost = (one: URL, other: URL): boolean =>
  one.hostname === other.hostname || (isLoopbackHost(one.hostname) && isLoopbackHost(other.hostname));

function peerSettings(request: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const settings = AskSettingsSchema.safeParse(request['settings']);
  if (settings.success) return { subtype: 'apply_flag_settings', settings: settings.data };
  throw new RelayError('forbidden', 'Whom Claude Code has dialled may change nothing of its settings but the tools that it asks about');
}

/** As `checkPeerFrame`, for whoever a CLI has dialled at `dialled`: that side also initialises, says what it asks about, and gives it tools of its own. */
export function checkDialledFrame(frame: unknown, dialled: URL): OutgoingFrame {
  const checked = checkOutgoing(frame);
  if (checked.type !== 'control_request') return checkPeerFrame(checked);
  const { request_id, request } = checked;
  switch (request.subtype) {
    case 'initialize':
      return { type: 'control_request', request_id, request: peerInitialize(request) };
    case 'mcp_set_servers':
      return { type: 'control_request', request_id, request: { ...peerServers(request, dialled), subtype: 'mcp_set_servers' } };
    case 'apply_flag_settings':
      return { type: 'control_request', request_id, request: { ...peerSettings(request), subtype: 'apply_flag_settings' } };
    default:
      return checkPeerFrame(checked);
  }
}
