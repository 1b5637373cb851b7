import type { ModelRequest } from './model-request.ts';

/** One thing a fake model does. Several make one answer, played in order. */
export type ModelStep =
  | { readonly kind: 'say'; readonly text: string; readonly chunks: number; readonly delayMs: number }
  | { readonly kind: 'think'; readonly text: string }
  | { readonly kind: 'callTool'; readonly name: string; readonly input: unknown }
  | { readonly kind: 'editFile'; readonly path: string; readonly text: string }
  | { readonly kind: 'runCommand'; readonly command: string }
  | { readonly kind: 'searchWeb'; readonly query: string }
  | { readonly kind: 'hang'; readonly durationMs: number | undefined }
  | { readonly kind: 'wait'; readonly until: Promise<unknown> }
  | { readonly kind: 'failWith'; readonly status: number; readonly code: string | undefined }
  | { readonly kind: 'drop' };

/** What a fake model answers to a request. */
export type Model = (request: ModelRequest) => ModelStep | readonly ModelStep[] | Promise<ModelStep | readonly ModelStep[]>;

/** Says a text, whole or streamed in `chunks` pieces with `delayMs` before each. */
export const say = (text: string, { chunks = 1, delayMs = 0 }: { chunks?: number; delayMs?: number } = {}): ModelStep => ({
  kind: 'say',
  text,
  chunks,
  delayMs,
});

/** Thinks aloud: a thinking block (Anthropic), a reasoning item with a summary (OpenAI), a thought (Google). */
export const think = (text: string): ModelStep => ({ kind: 'think', text });

/**
 * Calls a tool by its bare name. An MCP tool is found under whatever name the CLI offers it; one that the CLI keeps behind its
 * tool search is searched for first. A tool that is not offered is a violation.
 */
export const callTool = (name: string, input: unknown = {}): ModelStep => ({ kind: 'callTool', name, input });

/**
 * Writes a file with the CLI's own editing tool (Claude `Write`, Codex `apply_patch`, Gemini `write_file`). A relative path is below the session's folder.
 * The text ends with a newline afterwards, because a patch knows no other file.
 */
export const editFile = (path: string, text: string): ModelStep => ({ kind: 'editFile', path, text });

/** Runs a shell command with the CLI's own tool (Claude `Bash`, Codex `exec_command`, Gemini `run_shell_command`). */
export const runCommand = (command: string): ModelStep => ({ kind: 'runCommand', command });

/**
 * Searches the web as a model of OpenAI does: the endpoint runs the search itself, and the answer goes on behind it. Only where Codex offers it; the other
 * dialects have no such thing.
 */
export const searchWeb = (query: string): ModelStep => ({ kind: 'searchWeb', query });

/** Is silent for a while, or until the CLI hangs up. */
export const hang = (durationMs?: number): ModelStep => ({ kind: 'hang', durationMs });

/** Is silent until that has happened, or the CLI hangs up. */
export const holdUntil = (until: Promise<unknown>): ModelStep => ({ kind: 'wait', until });

/** Fails: with this HTTP status when nothing was said yet, else as an error inside the stream. `code` is the vendor's word for it. */
export const failWith = (status: number, code?: string): ModelStep => ({ kind: 'failWith', status, code });

/** Cuts the connection. */
export const drop = (): ModelStep => ({ kind: 'drop' });
