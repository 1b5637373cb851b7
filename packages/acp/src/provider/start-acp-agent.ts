import { RequestError } from '@agentclientprotocol/sdk';
import { RelayError } from 'agent-relay-protocol';
import { SessionEvents, type StartOptions } from 'agent-relay-provider';
import { ownedProcess, processEnd, type SessionRights } from 'agent-relay-provider/kit';
import { type ChildHandle, ndjsonDuplex, type SpawnProcessOptions, startProcess } from 'agent-relay-wire/node';
import { AcpConnection, type AcpHandlers, type AcpSessionPlace, type PromptBlock } from '../acp/acp-connection.ts';
import type { InitializeAnswer } from '../acp/frames.ts';
import type { AcpAgent } from '../catalogue.ts';
import { AcpSession } from './acp-session.ts';
import { saidIn } from './error-codes.ts';
import { assertFenced, modeFence } from './mode-fence.ts';
import { AcpToolGate } from './tool-gate.ts';
import { jsonOf } from './tool-words.ts';
import { AcpTranslator } from './translator.ts';

const startTimeoutMs = 60_000;
/** How long an agent whose input has ended may take to go by itself. */
const farewellMs = 500;
const longestLine = 32 << 20;

interface Opened {
  readonly connection: AcpConnection;
  readonly initialized: InitializeAnswer;
  readonly vendorSessionId: string;
  readonly model: string | null;
}

/** Starts an agent on stdio and resolves when its session is open. Whatever fails, no process is left. */
export async function startAcpAgent(agent: AcpAgent, command: string, options: StartOptions): Promise<AcpSession> {
  const { cwd, mode, approval, ask, reservedAgainst, env, mcp, signal, onProcess } = options;
  const rights: SessionRights = { mode, approval, ask, cwd, reservedAgainst };
  const relayServers = mcp.map(({ name }) => name);
  const events = new SessionEvents({ cwd, approvalTimeoutMs: options.approvalTimeoutMs, whenUnread: options.whenUnread });
  const translator = new AcpTranslator({ vendor: agent.id, relayServers, notices: agent.notices });
  const isConfined = options.sandbox !== undefined;
  const gate = new AcpToolGate({ rights, isConfined, relayServers, translator, events });
  let session: AcpSession | undefined;
  const handlers = handlersOf({ agent, events, translator, gate, turn: () => session?.turn });
  const fence = await modeFence(agent, options);
  try {
    const { child, ready } = await startProcess({
      ...(await confined(
        {
          command,
          args: [...agent.args, ...modelArguments(agent, options.model), ...fence.args, ...(options.extraArgs ?? [])],
          cwd,
          env: acpEnvironment(agent, env),
        },
        options.sandbox,
        fence.files,
      )),
      name: agent.name,
      timeoutMs: startTimeoutMs,
      signal,
      onStart: (started) => onProcess(ownedProcess(started, { purpose: agent.id })),
      getReady: (started) => openSession(agent, started, { options, handlers }),
    });
    tellStart(events, ready, options);
    session = new AcpSession({
      ...ready,
      ...{ translator, gate, events, rights, name: agent.name },
      preamble: preambleOf(options.instructions),
      stopGraceMs: agent.stopGraceMs ?? 2_000,
      end: async () => {
        await ready.connection.close();
        await child.kill();
      },
      explainEnd: () => processEnd(child, agent.name),
    });
    return session;
  } catch (error) {
    // Whoever goes on with a conversation hears that it is gone, and not that the agent does not start.
    if (error instanceof RelayError && error.cause instanceof RelayError && error.cause.code === 'not_found') throw error.cause;
    throw error;
  } finally {
    // The agent has read it once its session is open.
    await fence.remove();
  }
}

/** What it is handed beside, it may read inside as well. */
const confined = async (
  process: SpawnProcessOptions,
  sandbox: StartOptions['sandbox'],
  read: readonly string[],
): Promise<SpawnProcessOptions> => (sandbox === undefined ? process : sandbox.confine(process, { read }));

async function openSession(
  agent: AcpAgent,
  child: ChildHandle,
  { options, handlers }: { readonly options: StartOptions; readonly handlers: AcpHandlers },
): Promise<Opened> {
  const onMalformed = (text: string) => handlers.onStray(text);
  const duplex = ndjsonDuplex(child, { maxLineBytes: longestLine, closeTimeoutMs: farewellMs, onMalformed });
  const connection = new AcpConnection(duplex, handlers);
  try {
    const initialized = await connection.initialize();
    assertFenced(agent, options, initialized.agentInfo?.version);
    const takesServers = initialized.agentCapabilities.mcpCapabilities.http;
    const place = { cwd: options.cwd, mcp: takesServers ? options.mcp : [] };
    const { sessionId, model, modes } = await (options.resume === undefined
      ? connection.newSession(place)
      : loaded(connection, options.resume, place));
    if (agent.sessionMode !== undefined && modes.includes(agent.sessionMode)) await connection.setMode(agent.sessionMode);
    return { connection, initialized, vendorSessionId: sessionId, model };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new RelayError('provider_unavailable', `${saidIn(error)} ${agent.login}`, { cause: error });
  }
}

/** @throws RelayError `not_found` when the agent does not have the conversation: never is another one begun instead. */
async function loaded(connection: AcpConnection, sessionId: string, place: AcpSessionPlace) {
  try {
    return { sessionId, ...(await connection.loadSession(sessionId, place)) };
  } catch (cause) {
    if (!(cause instanceof RequestError)) throw cause;
    throw new RelayError('not_found', `the conversation ${sessionId} cannot be opened: ${saidIn(cause)}`, { cause });
  }
}

function tellStart(events: SessionEvents, { initialized, vendorSessionId, model }: Opened, { cwd, mcp }: StartOptions): void {
  const version = initialized.agentInfo?.version;
  events.emit({ type: 'session.started', vendorSessionId, cwd, ...(version ? { version } : {}), ...(model ? { model } : {}) });
  if (mcp.length > 0 && !initialized.agentCapabilities.mcpCapabilities.http) {
    const message = 'This agent takes no MCP servers over HTTP: it reaches the relay by lines of text';
    events.emit({ type: 'agent.error', code: 'mcp_not_supported', message, willRetry: false });
  }
  events.emit({ type: 'session.status', status: 'idle' });
}

/** What the agent's program is run with, of the environment of a session. */
export function acpEnvironment({ outer, defaults, sets }: AcpAgent, env: StartOptions['env']): Record<string, string> {
  const own = Object.entries(env).filter(([name]) => outer?.test(name) !== true);
  return { ...defaults, ...Object.fromEntries(own), ...sets };
}

interface HandlerParts {
  readonly agent: AcpAgent;
  readonly events: SessionEvents;
  readonly translator: AcpTranslator;
  readonly gate: AcpToolGate;
  readonly turn: () => AcpSession['turn'];
}

const handlersOf = ({ agent, events, translator, gate, turn }: HandlerParts): AcpHandlers => ({
  onUpdate: (update) => {
    for (const event of translator.update(update)) events.emit(event);
    return events.room();
  },
  onPermission: (request, signal) => gate.permission(request, turn(), signal),
  onReadFile: (request) => gate.read(request),
  onWriteFile: (request, signal) => gate.write(request, turn(), signal),
  onStray: (frame) =>
    typeof frame === 'string'
      ? events.emit({ type: 'output.line', stream: 'stdout', text: frame })
      : events.emit({ type: 'vendor.event', vendor: agent.id, name: 'stray', data: jsonOf(frame) }),
});

/** @throws RelayError `provider_unavailable` where the agent has no option for it. */
function modelArguments({ name, modelOption }: AcpAgent, model: string | undefined): readonly string[] {
  if (model === undefined) return [];
  if (modelOption !== undefined) return [modelOption, model];
  throw new RelayError('provider_unavailable', `${name} takes its model from its own settings; start it without one`);
}

/**
 * The protocol has no system prompt, so standing instructions come ahead of the first prompt, as a block of their own. Not as a resource: Gemini writes
 * its address into the line of the prompt and its text behind it.
 */
const preambleOf = (instructions: string): readonly PromptBlock[] =>
  instructions === '' ? [] : [{ type: 'text', text: `${instructions}\n\n` }];
