import { type AgentSession, SessionEvents } from 'agent-relay-provider';
import {
  createClaudeSdkUrlHandler,
  type SdkUrlDialler,
  type SdkUrlHandler,
  type SdkUrlHandlerOptions,
} from '../stream-json/sdk-url-handler.ts';
import { ClaudeSession, type ClaudeSessionOptions, emitFrames } from './claude-session.ts';
import { plainPrompts } from './environment.ts';
import { type ToolGateOptions, toolGate, toolGateHooks } from './tool-gate.ts';
import { ClaudeTranslator } from './translator.ts';

export interface ClaudeDialInOptions extends Pick<SdkUrlHandlerOptions, 'identify' | 'reconnectWithinMs'> {
  /** What a new session may do. `cwd` is the folder that its CLI was started in, as that machine names it. */
  readonly gate: (id: string, dialler: SdkUrlDialler) => ToolGateOptions;
  readonly onSession: (id: string, session: AgentSession) => void;
}

/**
 * The SDK-url handler with an agent session for each CLI that dials in. Such a session ends with `closed` when we close it, and with `lost` when its
 * CLI does not dial again; its process is not ours to end.
 */
export function createClaudeDialIn({ gate, onSession, ...options }: ClaudeDialInOptions): SdkUrlHandler {
  const opened = new Map<string, Pick<ClaudeSessionOptions, 'translator' | 'events' | 'gate'>>();
  return createClaudeSdkUrlHandler({
    ...options,
    connectionOptions: (id, dialler) => {
      const allowed = gate(id, dialler);
      const translator = new ClaudeTranslator({ relayServers: allowed.relayServers });
      const events = new SessionEvents({ cwd: allowed.cwd });
      opened.set(id, { translator, events, gate: allowed });
      return {
        ...toolGate(allowed, { translator, approvals: events.approvals }),
        onFrame: emitFrames(translator, events),
        initialize: toolGateHooks(allowed.relayServers),
        // Not git's settings, which may have neighbours there.
        environment: { ...plainPrompts, GIT_OPTIONAL_LOCKS: '0' },
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
