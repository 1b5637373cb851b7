import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StartOptions } from 'agent-relay-provider';
import { ownedProcess } from 'agent-relay-provider/kit';
import type { ClaudeSession } from './claude-session.ts';
import { claudeArguments, type ModeArgumentsOptions, mcpServers, modeArguments } from './command-line.ts';
import { folderArguments, untrustedFolder } from './folder-trust.ts';
import { runClaude } from './run-claude.ts';
import { toolGate, toolGateHooks } from './tool-gate.ts';
import type { ClaudeRights } from './tool-policy.ts';

/** What `agentic` means for Claude here. */
export type AgenticOptions = Pick<ModeArgumentsOptions, 'agenticTools'> & Pick<ClaudeRights, 'looksInside'>;

/** Starts an agent of the relay's: held to its mode and approval, with the relay's tools. Whatever fails, no process is left. */
export async function startOverStdio(
  command: string,
  options: StartOptions,
  { agenticTools, looksInside }: AgenticOptions = {},
): Promise<ClaudeSession> {
  const { cwd, mode, approval, ask, env, mcp, signal, onProcess, model, instructions, resume, fork = false, sandbox } = options;
  const { approvalTimeoutMs, reservedAgainst, whenUnread, extraArgs = [] } = options;
  const vendorSessionId = resume === undefined || fork ? randomUUID() : resume;
  const relayServers = mcp.map(({ name }) => name);
  const config = await writeMcpConfig(options);
  const untrusted = untrustedFolder(options);
  try {
    const session = await runClaude({
      command,
      args: [
        ...claudeArguments({ permissionMode: 'default', model, instructions, resume, fork, vendorSessionId }),
        ...modeArguments({ mode, mcpConfigPath: config?.path ?? null, agenticTools }),
        ...folderArguments(options),
        ...extraArgs,
      ],
      cwd,
      env,
      vendorSessionId,
      resume,
      model,
      gate: { mode, approval },
      approvalTimeoutMs,
      whenUnread,
      signal,
      relayServers,
      ...(sandbox && { confine: (process) => sandbox.confine(process, config === null ? {} : { read: [config.path] }) }),
      handlers: (parts) => toolGate({ mode, approval, ask, cwd, relayServers, reservedAgainst, looksInside }, parts),
      initialize: toolGateHooks(relayServers),
      onStart: (started) => onProcess(ownedProcess(started, { purpose: 'claude' })),
    });
    if (untrusted !== null) session.events.emit({ type: 'agent.error', code: 'folder_not_trusted', message: untrusted, willRetry: false });
    return session;
  } finally {
    // Claude has read it once it answers, and a token should lie about no longer than it must.
    await config?.remove();
  }
}

async function writeMcpConfig({ mcp }: StartOptions): Promise<{ readonly path: string; readonly remove: () => Promise<void> } | null> {
  if (mcp.length === 0) return null;
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-claude-'));
  const path = join(folder, 'mcp.json');
  await writeFile(path, JSON.stringify({ mcpServers: mcpServers(mcp) }), { mode: 0o600 });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}
