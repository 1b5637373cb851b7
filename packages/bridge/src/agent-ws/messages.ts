import type { PromptImage } from 'agent-relay-provider';

/** `1.1` is agent-ws as its clients know it; `1.2` is asked for with `?version=1.2` and adds sessions that several connections share. */
export type AgentWsVersion = '1.1' | '1.2';

export interface ProjectFile {
  readonly path: string;
  readonly content: string;
}

/** `undefined` is what was not said, or cannot be read where that is passed over. */
export interface PromptMessage {
  readonly type: 'prompt';
  readonly prompt: string;
  readonly requestId: string;
  readonly provider: string;
  readonly projectId?: string | undefined;
  readonly model?: string | undefined;
  /** `''` clears the one that is remembered. */
  readonly systemPrompt?: string | undefined;
  readonly thinkingTokens?: number | undefined;
  readonly images: readonly PromptImage[];
  readonly files: readonly ProjectFile[];
  /** 1.2: wait for the running prompt instead of being refused. */
  readonly queue: boolean;
  /** 1.2: the session that is prompted, whoever began it. */
  readonly sessionId?: string | undefined;
}

/** Which session: by its id, or by its project and provider. */
export interface SessionChoice {
  readonly sessionId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly provider: string;
}

export type ClientMessage =
  | PromptMessage
  | { readonly type: 'cancel'; readonly requestId?: string | undefined }
  | { readonly type: 'capabilities' }
  | { readonly type: 'sessions' }
  | ({ readonly type: 'attach'; readonly after?: number | undefined; readonly role: SessionRole } & SessionChoice)
  | { readonly type: 'detach'; readonly sessionId: string }
  | { readonly type: 'control'; readonly sessionId: string };

/** A session has one controller, who prompts and cancels, and any number of observers. */
export type SessionRole = 'controller' | 'observer';

/** What a prompt comes to. The shapes are those of agent-ws 1.1. */
export type RunFrame =
  | { readonly type: 'chunk'; readonly content: string; readonly requestId: string; readonly thinking?: true }
  | { readonly type: 'complete'; readonly requestId: string }
  | { readonly type: 'error'; readonly message: string; readonly requestId: string }
  | {
      readonly type: 'tool_event';
      readonly requestId: string;
      readonly event: 'start' | 'complete';
      readonly toolName?: string;
      readonly toolId?: string;
      readonly input?: unknown;
    }
  | FileChangeFrame
  /** 1.2: what was asked, for who looks on. */
  | { readonly type: 'prompted'; readonly requestId: string; readonly content: string }
  | { readonly type: 'queued'; readonly requestId: string; readonly position: number };

export interface FileChangeFrame {
  readonly type: 'file_change';
  readonly requestId: string;
  /** Relative to the folder of the session where it lies inside. */
  readonly path: string;
  readonly changeType: 'create' | 'update' | 'delete';
  readonly content?: string;
}

export interface SessionSummary {
  readonly sessionId: string;
  readonly provider: string;
  readonly projectId: string | null;
  readonly isBusy: boolean;
  readonly seq: number;
  readonly connections: number;
}

export interface Capabilities {
  readonly type: 'capabilities';
  readonly agent: string;
  readonly version: AgentWsVersion;
  readonly mode: string;
  readonly sandbox: { readonly active: string; readonly available: readonly string[] };
  readonly providers: readonly { readonly id: string; readonly available: boolean; readonly version?: string }[];
}

export type ServerMessage =
  | RunFrame
  | (RunFrame & { readonly sessionId: string; readonly seq: number })
  | { readonly type: 'connected'; readonly version: AgentWsVersion; readonly agent: string; readonly mode: string }
  | { readonly type: 'error'; readonly message: string; readonly requestId?: string }
  | Capabilities
  | { readonly type: 'sessions'; readonly sessions: readonly SessionSummary[] }
  | {
      readonly type: 'attached';
      readonly sessionId: string;
      readonly provider: string;
      readonly projectId: string | null;
      readonly role: SessionRole;
      /** The first frame that follows is the one after this. */
      readonly seq: number;
    }
  | { readonly type: 'role'; readonly sessionId: string; readonly role: SessionRole }
  | { readonly type: 'gap'; readonly sessionId: string; readonly seq: number }
  | { readonly type: 'detached'; readonly sessionId: string };
