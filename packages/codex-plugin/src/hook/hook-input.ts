import { RelayError } from 'agent-relay-protocol';

interface OfSession {
  readonly session_id: string;
  readonly cwd: string;
}

interface OfTool extends OfSession {
  readonly tool_name: string;
  readonly tool_use_id: string;
  readonly tool_input: { readonly command: string };
}

/** What Codex says to a hook, as far as it is read here. */
export type HookInput =
  | (OfSession & { readonly hook_event_name: 'SessionStart' | 'UserPromptSubmit' | 'Stop' | 'SessionEnd' })
  | (OfTool & { readonly hook_event_name: 'PreToolUse' })
  | (OfTool & { readonly hook_event_name: 'PostToolUse'; readonly tool_response: unknown });

/** What a hook answers; null says nothing. */
export type HookOutput = Readonly<Record<string, unknown>> | null;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads it without a schema: Codex waits for this at each use of a tool, and making schemas takes longer than all else that is done then.
 * @throws RelayError `validation_failed` naming the field; SyntaxError for what is no JSON.
 */
export function readHookInput(text: string): HookInput {
  const said = fieldsOf(JSON.parse(text));
  const event = said['hook_event_name'];
  const session = { session_id: requiredText(said, 'session_id'), cwd: requiredText(said, 'cwd') };
  switch (event) {
    case 'SessionStart':
    case 'UserPromptSubmit':
    case 'Stop':
    case 'SessionEnd':
      return { hook_event_name: event, ...session };
    case 'PreToolUse':
      return { hook_event_name: event, ...session, ...toolOf(said) };
    case 'PostToolUse':
      return { hook_event_name: event, ...session, ...toolOf(said), tool_response: said['tool_response'] };
    default:
      throw unreadable('hook_event_name');
  }
}

function toolOf(said: Fields): Omit<OfTool, keyof OfSession> {
  const input = said['tool_input'];
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw unreadable('tool_input');
  return {
    tool_name: textOf(said['tool_name']),
    tool_use_id: requiredText(said, 'tool_use_id'),
    tool_input: { command: textOf(fieldsOf(input)['command']) },
  };
}

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? { ...value } : {});

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function requiredText(said: Fields, field: string): string {
  const value = said[field];
  if (typeof value === 'string') return value;
  throw unreadable(field);
}

function unreadable(path: string): RelayError {
  const message = 'is not as Codex says it to a hook';
  return new RelayError('validation_failed', `${path} ${message}`, { issues: [{ path, message }] });
}
