import type { ClaudeConnectionOptions } from '../stream-json/claude-connection.ts';
import type { GreetedCli } from '../stream-json/known-process.ts';
import {
  createClaudeSdkUrlHandler,
  type SdkUrlDialler,
  type SdkUrlHandler,
  type SdkUrlHandlerOptions,
} from '../stream-json/sdk-url-handler.ts';
import type { QuestionParts } from './ask-person.ts';
import { AskRules } from './ask-rules.ts';
import { ClaudeSession, type ClaudeSessionOptions } from './claude-session.ts';
import { dialledEnvironment } from './environment.ts';
import { sessionParts } from './run-claude.ts';
import { type HookLimits, type ToolGateOptions, toolGate, toolGateHooks } from './tool-gate.ts';

type Allowed = ToolGateOptions & { readonly approvalTimeoutMs?: number | undefined };

export interface ClaudeDialInOptions extends Pick<SdkUrlHandlerOptions, 'identify' | 'reconnectWithinMs'> {
  /** What a new session may do. `cwd` is the folder that its CLI works in, as that machine names it, until Claude says so itself. */
  readonly gate: (id: string, dialler: SdkUrlDialler) => Allowed;
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
 * and the question that follows from them. Longer than any answer takes.
 */
const HOOK_LIMIT_S = 10;

/**
 * Where mail may do less than the user's rules allow, a tool waits for no more than that only where Claude asks about it by itself then. What the relay's
 * tools have handed out is told however long it takes: the rules for mail follow from it.
 */
function hookLimits({ approval }: ToolGateOptions, asks: boolean): HookLimits {
  const permission = asks ? { permission: HOOK_LIMIT_S } : {};
  if (approval === 'open') return { before: HOOK_LIMIT_S, after: HOOK_LIMIT_S, ...permission };
  return asks ? { before: HOOK_LIMIT_S, ...permission } : {};
}

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
  const opened = new Map<string, ReturnType<typeof gatedParts> & Pick<ClaudeSessionOptions, 'gate'>>();
  return createClaudeSdkUrlHandler({
    ...options,
    connectionOptions: (id, dialler) => {
      const allowed = gate(id, dialler);
      const parts = gatedParts(allowed, instructions);
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
      const { events, askRules } = parts;
      void askRules.attach(connection);
      events.emit({ type: 'session.status', status: 'idle' });
      const session = new ClaudeSession({
        ...parts,
        connection,
        beforePrompt: () => askRules.update(),
        vendorSessionId: null,
        model: null,
        end: () => connection.close(),
        explainEnd: async () => ({ reason: 'lost', detail: (await connection.closed).reason ?? 'Claude Code is gone' }),
      });
      onSession(id, session);
    },
  });
}

/** The parts of a session whose hooks may be lost: what Claude asks about by itself follows each of its words, and each answer of ours. */
function gatedParts(allowed: Allowed, instructions: string) {
  const { relayServers, cwd, approvalTimeoutMs } = allowed;
  const handlers = (parts: QuestionParts) => toolGate(whereItWorks(allowed, parts.translator), parts);
  const { connectionOptions: gated, ...parts } = sessionParts({ relayServers, handlers }, { cwd, approvalTimeoutMs });
  const askRules = new AskRules(allowed, parts.translator);
  const connectionOptions: Omit<ClaudeConnectionOptions, 'whenLinkEnds'> = {
    ...gated,
    askAbout: () => askRules.begin(),
    initialize: (asks) => {
      askRules.answered(asks);
      return {
        ...toolGateHooks(relayServers, hookLimits(allowed, asks)),
        ...(instructions === '' ? {} : { appendSystemPrompt: instructions }),
      };
    },
    onFrame: (frame) => {
      const emitted = gated.onFrame(frame);
      askRules.heard(frame);
      return emitted;
    },
    onHook: async (callback, context) => {
      const answer = (await gated.onHook?.(callback, context)) ?? {};
      // A hook that is answered holds by itself.
      await askRules.update().catch(() => {});
      return answer;
    },
  };
  return { ...parts, askRules, connectionOptions };
}

/** Claude tells its folder at the beginning of its first turn, before any tool. */
const whereItWorks = (allowed: ToolGateOptions, translator: QuestionParts['translator']): ToolGateOptions => ({
  ...allowed,
  get cwd() {
    return translator.cwd ?? allowed.cwd;
  },
});
