import type { PromptImage } from 'agent-relay-provider';
import { isModelName } from '../sessions/model-name.ts';
import { imageTypes, limits } from './limits.ts';
import type { AgentWsVersion, ClientMessage, ProjectFile, PromptMessage, SessionChoice } from './messages.ts';

export type ReadClientMessage = { readonly message: ClientMessage } | { readonly error: string };

export interface ReadClientMessageOptions {
  readonly version: AgentWsVersion;
  /** Whom a prompt may name. */
  readonly providers: readonly string[];
}

/** Why a frame is refused, in the words that clients know. */
class Refusal extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/** Reads one frame. The order of the checks is part of the protocol, as are their sentences. Never throws. */
export function readClientMessage(text: string, options: ReadClientMessageOptions): ReadClientMessage {
  try {
    return { message: read(parse(text), options) };
  } catch (error) {
    if (error instanceof Refusal) return { error: error.message };
    throw error;
  }
}

function parse(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('Invalid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal('Message must be a JSON object');
  return value as Fields; // a JSON object, whatever it holds
}

function read(fields: Fields, options: ReadClientMessageOptions): ClientMessage {
  const { type } = fields;
  if (typeof type !== 'string') throw new Refusal("Missing or invalid 'type' field");
  switch (type) {
    case 'prompt':
      return promptOf(fields, options);
    case 'cancel':
      return { type, requestId: stringOf(fields['requestId']) };
    case 'capabilities':
      return { type };
  }
  const more = options.version === '1.2' ? ofSessions(type, fields, options) : null;
  if (more === null) throw new Refusal(`Unknown message type: ${type.slice(0, 50)}`);
  return more;
}

function ofSessions(type: string, fields: Fields, options: ReadClientMessageOptions): ClientMessage | null {
  switch (type) {
    case 'sessions':
      return { type };
    case 'attach': {
      const { after, role } = fields;
      if (after !== undefined && !(Number.isSafeInteger(after) && Number(after) >= 0)) throw new Refusal("Invalid 'after' field");
      if (role !== undefined && role !== 'controller' && role !== 'observer') throw new Refusal("Invalid 'role' field");
      return { type, ...choiceOf(fields, options), after: after === undefined ? undefined : Number(after), role: role ?? 'observer' };
    }
    case 'detach':
    case 'control': {
      const sessionId = stringOf(fields['sessionId']);
      if (!sessionId) throw new Refusal("Missing or empty 'sessionId' field");
      return { type, sessionId };
    }
    default:
      return null;
  }
}

function choiceOf(fields: Fields, options: ReadClientMessageOptions): SessionChoice {
  const sessionId = stringOf(fields['sessionId']);
  const projectId = projectIdOf(fields['projectId']);
  if (!sessionId && projectId === undefined) throw new Refusal("Missing 'sessionId' or 'projectId' field");
  return { sessionId, projectId, provider: providerOf(fields['provider'], options) };
}

function promptOf(fields: Fields, options: ReadClientMessageOptions): PromptMessage {
  const { prompt, requestId, systemPrompt, model, thinkingTokens } = fields;
  if (typeof prompt !== 'string' || prompt === '') throw new Refusal("Missing or empty 'prompt' field");
  if (bytes(prompt) > limits.promptBytes) throw new Refusal(`Prompt exceeds maximum size of ${limits.promptBytes} bytes`);
  if (typeof requestId !== 'string' || requestId === '') throw new Refusal("Missing or empty 'requestId' field");
  if (requestId.length > limits.requestIdLength) throw new Refusal(`requestId exceeds maximum length of ${limits.requestIdLength}`);
  if (typeof systemPrompt === 'string' && bytes(systemPrompt) > limits.systemPromptBytes)
    throw new Refusal(`System prompt exceeds maximum size of ${limits.systemPromptBytes} bytes`);
  const projectId = projectIdOf(fields['projectId']);
  const images = imagesOf(fields['images']);
  const files = filesOf(fields['files']);
  const provider = providerOf(fields['provider'], options);
  // Both go on a command line.
  if (typeof systemPrompt === 'string' && systemPrompt.includes('\0')) throw new Refusal("Invalid 'systemPrompt' field");
  const isOfNow = options.version === '1.2';
  return {
    ...{ type: 'prompt', prompt, requestId, provider, projectId, images, files },
    model: modelOf(model),
    systemPrompt: stringOf(systemPrompt),
    thinkingTokens: typeof thinkingTokens === 'number' && thinkingTokens >= 0 ? thinkingTokens : undefined,
    queue: isOfNow && fields['queue'] === true,
    sessionId: isOfNow ? stringOf(fields['sessionId']) : undefined,
  };
}

function projectIdOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (value.length > limits.projectIdLength) throw new Refusal(`projectId exceeds maximum length of ${limits.projectIdLength}`);
  if (!/^[a-zA-Z0-9._-]+$/u.test(value))
    throw new Refusal('projectId contains invalid characters (allowed: alphanumeric, hyphens, underscores, dots)');
  return value;
}

function imagesOf(value: unknown): readonly PromptImage[] {
  if (!Array.isArray(value) || value.length === 0) return [];
  if (value.length > limits.images) throw new Refusal(`Too many images (max ${limits.images})`);
  return value.map((image: unknown) => {
    const { media_type: mediaType, data } = objectOf(image, 'Each image must be an object with media_type and data');
    if (typeof mediaType !== 'string' || typeof data !== 'string')
      throw new Refusal('Each image must have string media_type and data fields');
    if (!imageTypes.some((type) => type === mediaType))
      throw new Refusal(`Unsupported image type: ${mediaType.slice(0, 50)} (allowed: png, jpeg, gif, webp)`);
    if (bytes(data) > limits.imageBytes) throw new Refusal(`Image exceeds maximum size of ${limits.imageBytes} bytes`);
    return { mediaType, data };
  });
}

function filesOf(value: unknown): readonly ProjectFile[] {
  if (!Array.isArray(value) || value.length === 0) return [];
  if (value.length > limits.files) throw new Refusal(`Too many files (max ${limits.files})`);
  let total = 0;
  return value.map((file: unknown) => {
    const { path, content } = objectOf(file, 'Each file must be an object with path and content');
    if (typeof path !== 'string' || typeof content !== 'string') throw new Refusal('Each file must have string path and content fields');
    if (path === '') throw new Refusal('File path must not be empty');
    total += bytes(content);
    if (total > limits.fileBytes) throw new Refusal(`Total file content exceeds maximum size of ${limits.fileBytes} bytes`);
    return { path, content };
  });
}

function providerOf(value: unknown, { providers }: ReadClientMessageOptions): string {
  if (typeof value !== 'string' || value === '') return 'claude';
  if (!providers.includes(value)) throw new Refusal(`Unknown provider: ${value.slice(0, 50)} (allowed: ${providers.join(', ')})`);
  return value;
}

function modelOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  if (!isModelName(value)) throw new Refusal("Invalid 'model' field");
  return value;
}

function objectOf(value: unknown, refusal: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(refusal);
  return value as Fields; // as above
}

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const bytes = (text: string): number => Buffer.byteLength(text);
