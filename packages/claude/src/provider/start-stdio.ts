import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { type SessionEnded, SessionEvents, type StartOptions } from 'agent-relay-provider';
import { sleep } from 'agent-relay-wire';
import { type ChildHandle, ndjsonDuplex, spawnProcess } from 'agent-relay-wire/node';
import { ClaudeConnection } from '../stream-json/claude-connection.ts';
import type { ControlAnswer } from '../stream-json/control-requests.ts';
import type { OutgoingFrame } from '../stream-json/outgoing.ts';
import { ClaudeSession, emitFrames } from './claude-session.ts';
import { claudeEnvironment, commandLine, mcpConfig } from './command-line.ts';
import { toolGate, toolGateHooks } from './tool-gate.ts';
import { ClaudeTranslation } from './translation.ts';

const startTimeoutMs = 60_000;
const endSessionTimeoutMs = 1_500;

/** Starts Claude Code on stdio and resolves when it has answered `initialize`. Whatever fails, no process is left. */
export async function startOverStdio(command: string, options: StartOptions): Promise<ClaudeSession> {
  const { cwd, mode, approval, ask, env, mcp, signal } = options;
  const vendorSessionId = randomUUID();
  const config = await writeMcpConfig(options);
  try {
    signal?.throwIfAborted();
    const args = commandLine({ ...options, vendorSessionId, mcpConfigPath: config?.path ?? null });
    const child = await spawnProcess({ command, args, cwd, env: claudeEnvironment(env) });
    try {
      options.onProcess({ pid: child.pid, startToken: child.identity.startedAt, purpose: 'claude', ...treeOf(child) });
      const relayServers = mcp.map(({ name }) => name);
      const events = new SessionEvents({ cwd, approvalTimeoutMs: options.approvalTimeoutMs });
      const translation = new ClaudeTranslation({ relayServers });
      const connection = new ClaudeConnection({
        ...toolGate({ mode, approval, ask, cwd, relayServers }, { translation, approvals: events.approvals }),
        onFrame: emitFrames(translation, events),
        initialize: toolGateHooks(relayServers),
        controlTimeoutMs: startTimeoutMs,
        whenLinkEnds: 'exit',
      });
      const initialized = await initialize(connection, child, signal);
      events.emit({
        type: 'session.started',
        vendorSessionId,
        cwd,
        ...versionIn(initialized),
        ...(options.model ? { model: options.model } : {}),
      });
      events.emit({ type: 'session.status', status: 'idle' });
      return new ClaudeSession({
        connection,
        translation,
        events,
        gate: { mode, approval },
        vendorSessionId,
        model: options.model ?? null,
        end: () => endProcess(connection, child),
        explainEnd: () => explainExit(child),
      });
    } catch (error) {
      await child.kill();
      throw error;
    }
  } finally {
    // Claude has read it once it answers, and a token should lie about no longer than it must.
    await config?.remove();
  }
}

async function initialize(connection: ClaudeConnection, child: ChildHandle, signal: AbortSignal | undefined): Promise<ControlAnswer> {
  signal?.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  const attached = connection.attach(ndjsonDuplex<unknown, OutgoingFrame>(child));
  attached.catch(() => {});
  try {
    return await Promise.race([attached, aborted]);
  } catch (error) {
    if (signal?.aborted) throw error;
    const { detail = 'it gave no reason' } = await explainExit(child, 500);
    throw new RelayError('provider_unavailable', `Claude Code did not start: ${detail}`, { cause: error });
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
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

async function explainExit(child: ChildHandle, waitMs = 5_000): Promise<Omit<SessionEnded, 'type'>> {
  const exit = await Promise.race([child.exited, sleep(waitMs)]);
  // A process that only closed its stdout, and children that outlived it.
  await child.kill();
  const lastLines = child.stderrTail.trim().split('\n').slice(-5).join('\n');
  if (!exit) return { reason: 'crashed', detail: lastLines || 'Claude Code closed its output' };
  const { code, signal } = exit;
  const how = signal === null ? `Claude Code exited with code ${code}` : `Claude Code was ended by ${signal}`;
  return {
    reason: code === 0 ? 'exited' : 'crashed',
    detail: lastLines === '' ? how : `${how}: ${lastLines}`,
    ...(code === null ? {} : { exitCode: code }),
  };
}

async function writeMcpConfig({ mcp }: StartOptions): Promise<{ readonly path: string; readonly remove: () => Promise<void> } | null> {
  if (mcp.length === 0) return null;
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-claude-'));
  const path = join(folder, 'mcp.json');
  await writeFile(path, JSON.stringify(mcpConfig(mcp)), { mode: 0o600 });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

const treeOf = ({ identity }: ChildHandle) => (identity.treeId === undefined ? {} : { treeId: identity.treeId });

function versionIn({ response }: ControlAnswer): { version?: string } {
  const version = response['claude_code_version'];
  return typeof version === 'string' ? { version } : {};
}
