import { RelayError } from 'agent-relay-protocol';
import { SessionEvents, type StartOptions } from 'agent-relay-provider';
import { processEnd } from 'agent-relay-provider/kit';
import { sleep } from 'agent-relay-wire';
import { type ChildHandle, ndjsonDuplex, type SpawnProcessOptions, startProcess } from 'agent-relay-wire/node';
import { ClaudeConnection, type ClaudeConnectionOptions } from '../stream-json/claude-connection.ts';
import type { ControlAnswer } from '../stream-json/control-requests.ts';
import type { OutgoingFrame } from '../stream-json/outgoing.ts';
import type { RequestHandlers } from '../stream-json/request-desk.ts';
import { ClaudeSession, type ClaudeSessionOptions, emitFrames } from './claude-session.ts';
import { claudeEnvironment } from './environment.ts';
import { ClaudeTranslator } from './translator.ts';

const vendor = 'Claude Code';
const startTimeoutMs = 60_000;
const endSessionTimeoutMs = 1_500;

/** What answers Claude: made with the session's own parts, because its turns and its questions decide. */
export interface AnswersClaude {
  readonly handlers: (parts: Pick<ClaudeSessionOptions, 'translator' | 'events'>) => RequestHandlers;
  readonly initialize?: ClaudeConnectionOptions['initialize'];
  readonly relayServers: readonly string[];
}

export interface RunClaudeOptions extends AnswersClaude {
  readonly command: string;
  readonly args: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly vendorSessionId: string;
  /** The stored conversation that it is to find. */
  readonly resume?: string | undefined;
  readonly model?: string | undefined;
  readonly gate?: ClaudeSessionOptions['gate'];
  readonly approvalTimeoutMs?: number | undefined;
  readonly whenUnread?: StartOptions['whenUnread'] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onStart?: (child: ChildHandle) => void;
  /** The process as it is started in a sandbox. */
  readonly confine?: (process: SpawnProcessOptions) => Promise<SpawnProcessOptions>;
}

/** The parts of a session that has no CLI yet. */
export function sessionParts({ handlers, initialize, relayServers }: AnswersClaude, about: ConstructorParameters<typeof SessionEvents>[0]) {
  const events = new SessionEvents(about);
  const translator = new ClaudeTranslator({ relayServers, cwd: about.cwd });
  const connection = {
    ...handlers({ translator, events }),
    onFrame: emitFrames(translator, events),
    onSentAgain: (uuid: string) => translator.ledger.sentAgain(uuid),
    ...(initialize === undefined ? {} : { initialize }),
  };
  return { events, translator, connectionOptions: connection };
}

/** Starts Claude Code on stdio and resolves when it has answered `initialize`. Whatever fails, no process is left. */
export async function runClaude(options: RunClaudeOptions): Promise<ClaudeSession> {
  const { command, args, cwd, vendorSessionId, model, gate, signal, onStart } = options;
  const { approvalTimeoutMs, whenUnread } = options;
  const { events, translator, connectionOptions } = sessionParts(options, { cwd, approvalTimeoutMs, whenUnread });
  const connection = new ClaudeConnection({ ...connectionOptions, controlTimeoutMs: startTimeoutMs, whenLinkEnds: 'exit' });
  const outside = { command, args, cwd, env: claudeEnvironment(options.env) };
  const starting = startProcess({
    ...(options.confine ? await options.confine(outside) : outside),
    name: vendor,
    timeoutMs: startTimeoutMs,
    signal,
    onStart,
    getReady: async (started) => {
      const answer = await connection.attach(ndjsonDuplex<unknown, OutgoingFrame>(started));
      await connection.assertLogin(answer, options.env);
      return answer;
    },
  });
  const { child, ready } = await starting.catch((error: unknown) => {
    throw isMissingConversation(error) ? missingConversation(options, error) : error;
  });
  translator.startedAs(vendorSessionId);
  events.emit({ type: 'session.started', vendorSessionId, cwd, ...versionIn(ready), ...(model === undefined ? {} : { model }) });
  events.emit({ type: 'session.status', status: 'idle' });
  return new ClaudeSession({
    connection,
    translator,
    events,
    gate,
    vendorSessionId,
    model: model ?? null,
    end: () => endProcess(connection, child),
    explainEnd: () => processEnd(child, vendor),
  });
}

/** Asks Claude to end, which stops a running turn; then ends the process tree with whatever it left running. */
async function endProcess(connection: ClaudeConnection, child: ChildHandle): Promise<void> {
  if (!connection.isClosed) {
    const refused = connection.endSession().catch(() => sleep(0));
    await Promise.race([Promise.all([refused, child.exited]), sleep(endSessionTimeoutMs)]);
  }
  await connection.close();
  await child.kill();
}

function versionIn({ response }: ControlAnswer): { version?: string } {
  const version = response['claude_code_version'];
  return typeof version === 'string' ? { version } : {};
}

/** Claude has no other sign of it than its last words. */
const isMissingConversation = (error: unknown): boolean =>
  error instanceof RelayError && error.code === 'provider_unavailable' && error.message.includes('No conversation found');

const missingConversation = ({ resume, cwd }: RunClaudeOptions, cause: unknown): RelayError =>
  new RelayError(
    'not_found',
    `Claude Code has no conversation ${resume} to go on with in ${cwd}. Versions up to 2.1.120 find one only from the folder that it was had in.`,
    { cause },
  );
