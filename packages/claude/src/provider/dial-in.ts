import type { GreetedCli } from '../stream-json/known-process.ts';
import {
  createClaudeSdkUrlHandler,
  type SdkUrlDialler,
  type SdkUrlHandler,
  type SdkUrlHandlerOptions,
} from '../stream-json/sdk-url-handler.ts';
import type { QuestionParts } from './ask-person.ts';
import { ClaudeSession, type ClaudeSessionOptions } from './claude-session.ts';
import { dialledEnvironment } from './environment.ts';
import { sessionParts } from './run-claude.ts';
import { type ToolGateOptions, toolGate, toolGateHooks } from './tool-gate.ts';

export interface ClaudeDialInOptions extends Pick<SdkUrlHandlerOptions, 'identify' | 'reconnectWithinMs'> {
  /** What a new session may do. `cwd` is the folder that its CLI works in, as that machine names it, until Claude says so itself. */
  readonly gate: (id: string, dialler: SdkUrlDialler) => ToolGateOptions & { readonly approvalTimeoutMs?: number | undefined };
  /** What every session is told of where it is, as standing instructions. */
  readonly instructions?: string;
  readonly onSession: (id: string, session: ClaudeSession) => void;
  /** See `ClaudeConnectionOptions`. */
  readonly onGreeting?: (id: string) => void;
  /** `isContinued` also for one that says in its upgrade request that it dials again. */
  readonly onGreeted?: (id: string, cli: GreetedCli) => void;
}

/**
 * Up to 2.1.120 what a hook asks while no link is there reaches nobody, and is not repeated: the tool waits for this long, and then for Claude's own rules
 * and the question that follows from them. Longer than any answer takes. Where mail may do less than those rules allow no limit is given: it would let
 * through what nobody has judged.
 */
const HOOK_LIMIT_S = 10;

/**
 * The SDK-url handler with an agent session for each CLI that dials in. Such a session ends with `closed` when we close it, and with `lost` when its
 * CLI does not dial again; its process is not ours to end.
 */
export function createClaudeDialIn({
  gate,
  instructions = '',
  onSession,
  onGreeting,
  onGreeted,
  ...options
}: ClaudeDialInOptions): SdkUrlHandler {
  const opened = new Map<string, Pick<ClaudeSessionOptions, 'translator' | 'events' | 'gate'>>();
  return createClaudeSdkUrlHandler({
    ...options,
    connectionOptions: (id, dialler) => {
      const allowed = gate(id, dialler);
      const { relayServers, cwd, approvalTimeoutMs } = allowed;
      const handlers = (parts: QuestionParts) => toolGate(whereItWorks(allowed, parts.translator), parts);
      const initialize = {
        ...toolGateHooks(relayServers, allowed.approval === 'open' ? HOOK_LIMIT_S : undefined),
        ...(instructions === '' ? {} : { appendSystemPrompt: instructions }),
      };
      const parts = sessionParts({ relayServers, handlers, initialize }, { cwd, approvalTimeoutMs });
      opened.set(id, { ...parts, gate: allowed });
      return {
        ...parts.connectionOptions,
        environment: dialledEnvironment,
        onGreeting: () => onGreeting?.(id),
        onGreeted: (cli) => onGreeted?.(id, { ...cli, isContinued: cli.isContinued || dialler.isReconnect }),
      };
    },
    onSession: ({ id, connection }) => {
      const parts = opened.get(id);
      opened.delete(id);
      if (!parts) return;
      const { events } = parts;
      events.emit({ type: 'session.status', status: 'idle' });
      const session = new ClaudeSession({
        ...parts,
        connection,
        vendorSessionId: null,
        model: null,
        end: () => connection.close(),
        explainEnd: async () => ({ reason: 'lost', detail: (await connection.closed).reason ?? 'Claude Code is gone' }),
      });
      onSession(id, session);
    },
  });
}

/** Claude tells its folder at the beginning of its first turn, before any tool. */
const whereItWorks = (allowed: ToolGateOptions, translator: QuestionParts['translator']): ToolGateOptions => ({
  ...allowed,
  get cwd() {
    return translator.cwd ?? allowed.cwd;
  },
});
