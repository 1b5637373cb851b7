import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionEvents, type StartOptions } from 'agent-relay-provider';
import { ownedProcess, processEnd } from 'agent-relay-provider/kit';
import { sleep } from 'agent-relay-wire';
import { type ChildHandle, ndjsonDuplex, startProcess } from 'agent-relay-wire/node';
import { ClaudeConnection } from '../stream-json/claude-connection.ts';
import type { ControlAnswer } from '../stream-json/control-requests.ts';
import type { OutgoingFrame } from '../stream-json/outgoing.ts';
import { ClaudeSession, emitFrames } from './claude-session.ts';
import { claudeArguments, mcpConfig } from './command-line.ts';
import { claudeEnvironment } from './environment.ts';
import { toolGate, toolGateHooks } from './tool-gate.ts';
import { ClaudeTranslator } from './translator.ts';

const vendor = 'Claude Code';
const startTimeoutMs = 60_000;
const endSessionTimeoutMs = 1_500;

/** Starts Claude Code on stdio and resolves when it has answered `initialize`. Whatever fails, no process is left. */
export async function startOverStdio(command: string, options: StartOptions): Promise<ClaudeSession> {
  const { cwd, mode, approval, ask, env, mcp, signal, onProcess } = options;
  const vendorSessionId = randomUUID();
  const relayServers = mcp.map(({ name }) => name);
  const events = new SessionEvents({ cwd, approvalTimeoutMs: options.approvalTimeoutMs });
  const translator = new ClaudeTranslator({ relayServers });
  const connection = new ClaudeConnection({
    ...toolGate({ mode, approval, ask, cwd, relayServers }, { translator, approvals: events.approvals }),
    onFrame: emitFrames(translator, events),
    initialize: toolGateHooks(relayServers),
    controlTimeoutMs: startTimeoutMs,
    whenLinkEnds: 'exit',
  });
  const config = await writeMcpConfig(options);
  try {
    const { child, ready } = await startProcess({
      name: vendor,
      command,
      args: claudeArguments({ ...options, vendorSessionId, mcpConfigPath: config?.path ?? null }),
      cwd,
      env: claudeEnvironment(env),
      timeoutMs: startTimeoutMs,
      signal,
      onStart: (started) => onProcess(ownedProcess(started, { purpose: 'claude' })),
      getReady: (started) => connection.attach(ndjsonDuplex<unknown, OutgoingFrame>(started)),
    });
    events.emit({ type: 'session.started', vendorSessionId, cwd, ...versionIn(ready), ...(options.model ? { model: options.model } : {}) });
    events.emit({ type: 'session.status', status: 'idle' });
    return new ClaudeSession({
      connection,
      translator,
      events,
      gate: { mode, approval },
      vendorSessionId,
      model: options.model ?? null,
      end: () => endProcess(connection, child),
      explainEnd: () => processEnd(child, vendor),
    });
  } finally {
    // Claude has read it once it answers, and a token should lie about no longer than it must.
    await config?.remove();
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

async function writeMcpConfig({ mcp }: StartOptions): Promise<{ readonly path: string; readonly remove: () => Promise<void> } | null> {
  if (mcp.length === 0) return null;
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-claude-'));
  const path = join(folder, 'mcp.json');
  await writeFile(path, JSON.stringify(mcpConfig(mcp)), { mode: 0o600 });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

function versionIn({ response }: ControlAnswer): { version?: string } {
  const version = response['claude_code_version'];
  return typeof version === 'string' ? { version } : {};
}
