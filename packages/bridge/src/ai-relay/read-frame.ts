import { asText } from 'agent-relay-protocol';
import { isModelName } from '../sessions/model-name.ts';

/** What a client asks for. */
export type AiRelayRequest =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'interrupt' }
  | {
      readonly type: 'permission';
      readonly requestId: string;
      /** One of the question's own; where that has none of this id, `verdict` is what its word means. */
      readonly optionId?: string;
      readonly verdict: PermissionVerdict;
      readonly message?: string;
    }
  | { readonly type: 'model'; readonly model: string }
  | { readonly type: 'refused'; readonly reason: string };

export interface PermissionVerdict {
  readonly outcome: 'allow' | 'deny';
  readonly forSession?: true;
}

type Fields = Readonly<Record<string, unknown>>;

/** Words of the vendors and of clients for a yes, and those that hold for the rest of the session. */
const yes = /^(?:allow(?:ed)?|accept(?:ed)?|approved?|yes|true|proceed)(?:[-_ ]?(?:once|always|(?:for[-_ ]?)?session))?$/iu;
const always = /(?:always|session)$/iu;

/** Reads one frame after the handshake; what is no JSON object is text. Never throws. */
export function readFrame(raw: string): AiRelayRequest {
  const fields = objectIn(raw);
  if (fields === null) return textOf(raw);
  const { type, text } = fields;
  if (type === undefined || type === 'text') return textOf(text);
  switch (type) {
    case 'user_message':
      return textOf(contentText(fields['content'] ?? text));
    case 'interrupt':
      return { type: 'interrupt' };
    case 'permission_response':
      return permission(fields);
    case 'set_model':
      return modelIn(fields['model']);
    default:
      return { type: 'refused', reason: `${wordOf(type).slice(0, 50)} is not supported by this bridge` };
  }
}

export interface Handshake {
  readonly tool: string;
  readonly folder: string;
  readonly model?: string;
  readonly sessionId?: string;
  readonly mode?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly extraArgs: readonly string[];
}

/** Reads the first frame; a string is why it is refused. Fields that other tools need are passed over. */
export function readHandshake(raw: string): Handshake | string {
  const fields = objectIn(raw);
  if (fields === null) return 'The first frame must be a JSON object, such as {"tool":"claude","folder":"."}';
  const { tool = 'claude', folder = '.', model, session_id: sessionId, mode, env = {}, extra_args: extraArgs = [] } = fields;
  if (typeof tool !== 'string' || tool === '') return 'tool must be a string';
  if (typeof folder !== 'string' || folder === '' || folder.includes('\0')) return 'folder must be a path';
  const asked = model === undefined || model === null || model === '' ? null : modelIn(model);
  if (asked?.type === 'refused') return asked.reason;
  if (!isOptionalString(sessionId) || (sessionId?.length ?? 0) > 128) return 'session_id must be a string of at most 128 characters';
  if (!isOptionalString(mode)) return 'mode must be a string';
  if (!isEnvironment(env)) return 'env must be an object of strings';
  if (!Array.isArray(extraArgs) || !extraArgs.every((each) => typeof each === 'string' && !each.includes('\0')))
    return 'extra_args must be an array of strings';
  return {
    ...{ tool, folder, env, extraArgs },
    ...(asked?.type === 'model' ? { model: asked.model } : {}),
    ...(sessionId ? { sessionId } : {}),
    ...(mode ? { mode } : {}),
  };
}

const isOptionalString = (value: unknown): value is string | undefined | null =>
  value === undefined || value === null || typeof value === 'string';

function isEnvironment(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, text]) => /^[A-Za-z_]\w*$/u.test(name) && typeof text === 'string' && !text.includes('\0'));
}

function objectIn(raw: string): Fields | null {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null; // a JSON object
  } catch {
    return null;
  }
}

function textOf(text: unknown): AiRelayRequest {
  if (typeof text !== 'string' || text.trim() === '') return { type: 'refused', reason: 'text is missing or empty' };
  return { type: 'text', text };
}

function contentText(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((block: unknown) => (isTextBlock(block) ? block.text : '')).join('');
}

const isTextBlock = (block: unknown): block is { readonly text: string } =>
  typeof block === 'object' && block !== null && 'text' in block && typeof block.text === 'string';

function modelIn(model: unknown): AiRelayRequest {
  if (typeof model !== 'string' || !isModelName(model)) return { type: 'refused', reason: 'model must be the name of a model' };
  return { type: 'model', model };
}

function permission(fields: Fields): AiRelayRequest {
  const { request_id: requestId, behavior, allow, decision, optionId, message } = fields;
  // Some clients send numbers, and 0 is one of them.
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return { type: 'refused', reason: 'request_id is missing' };
  const said = [behavior, decision, optionId, allow].find((each) => each !== undefined && each !== null);
  const reason = typeof message === 'string' && message !== '' ? { message: message.slice(0, 1000) } : {};
  const option = said === optionId && typeof optionId === 'string' ? { optionId } : {};
  return { type: 'permission', requestId: String(requestId), ...option, verdict: verdictOf(wordOf(said ?? '')), ...reason };
}

/** An object's own idea of a text may be anything, and may throw. */
const wordOf = (value: unknown): string => (typeof value === 'object' ? 'an object' : asText(value));

function verdictOf(word: string): PermissionVerdict {
  if (!yes.test(word)) return { outcome: 'deny' };
  return { outcome: 'allow', ...(always.test(word) ? { forSession: true } : {}) };
}
