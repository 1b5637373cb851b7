import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import type { BackgroundStart, StartOptions } from 'agent-relay-provider';
import { sleep } from 'agent-relay-wire';
import { type ProcessIdentity, processIdentity } from 'agent-relay-wire/node';
import { claudeEnvironment } from '../environment.ts';
import { folderArguments } from '../folder-trust.ts';
import { beginJob, type ClaudeCommand, findJob, stopJob } from './background-jobs.ts';
import { BackgroundSession } from './background-session.ts';

/** How long a session may take to run, and then its plugin to have registered the agent. */
const RUNS_WITHIN_MS = 20_000;
const PLUGIN_WITHIN_MS = 40_000;
const LOOK_EVERY_MS = 250;
/** What this machine says of whom a process belongs to: Claude's service, which may outlive the session, must not carry it. */
const ofThisSession: ReadonlySet<string> = new Set(['AGENT_RELAY_SESSION_ID', 'AGENT_RELAY_AGENT_ID', 'AGENT_RELAY_PROCESS_TREE']);

/**
 * Starts a session that a person may open (`claude attach`), and resolves when its plugin has registered it as the agent. Whatever fails, none is left.
 * @throws RelayError `unsupported` in a sandbox, in another mode than `agentic` and on a version without such sessions; `provider_unavailable` with what is missing.
 */
export async function startInBackground(command: string, options: StartOptions, background: BackgroundStart): Promise<BackgroundSession> {
  const { cwd, mode, sandbox, signal, onProcess, model } = options;
  if (sandbox)
    throw new RelayError('unsupported', 'Claude Code keeps its sessions in the background in a service of its own: none is in a sandbox');
  if (mode !== 'agentic') throw new RelayError('unsupported', `Claude Code in the background knows no mode ${mode}`);
  const at: ClaudeCommand = { command, cwd, env: serviceEnvironment(options.env) };
  const files = await writeSettings(options, background);
  let jobId: string | undefined;
  try {
    jobId = await beginJob(at, backgroundArguments(options, files.settings), background.task ?? '', signal);
    const { process, vendorSessionId } = await untilRunning(at, jobId, signal);
    const written = { purpose: 'claude in the background', shared: false, unmarked: true, jobId } as const;
    onProcess({ pid: process.pid, startToken: process.startedAt, ...written });
    await untilReady(files.ready, process, signal);
    return new BackgroundSession({ at, jobId, vendorSessionId, model: model ?? null, process, remove: files.remove });
  } catch (error) {
    if (jobId !== undefined) await stopJob(at, jobId).catch(() => {});
    await files.remove();
    throw error;
  }
}

/** Without what this machine says of whom a process belongs to. */
export const serviceEnvironment = (env: Readonly<Record<string, string>>): Record<string, string> =>
  claudeEnvironment(Object.fromEntries(Object.entries(env).filter(([name]) => !ofThisSession.has(name))));

function backgroundArguments(options: StartOptions, settings: string): string[] {
  const { agentId, model, instructions, resume, fork, extraArgs = [] } = options;
  return [
    ...['-n', agentId, '--permission-mode', 'acceptEdits', '--settings', settings],
    ...(instructions === '' ? [] : ['--append-system-prompt', instructions]),
    ...(model === undefined ? [] : [`--model=${model}`]),
    ...(resume === undefined ? [] : [`--resume=${resume}`]),
    ...(fork ? ['--fork-session'] : []),
    ...folderArguments(options),
    ...extraArgs,
  ];
}

/**
 * Claude's service gives each of its sessions the environment that it was started with itself. What this one is told goes by its settings, which reach
 * what it starts; a file, because a command line is public and this holds a token.
 */
async function writeSettings({ agentId, sessionId, env }: StartOptions, { relay }: BackgroundStart) {
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-claude-'));
  const [settings, ready] = [join(folder, 'settings.json'), join(folder, 'ready')];
  const told = {
    AGENT_RELAY_ID: agentId,
    AGENT_RELAY_URL: relay.url,
    AGENT_RELAY_TOKEN: relay.token,
    AGENT_RELAY_INSTANCE_ID: relay.instanceId,
    AGENT_RELAY_READY_FILE: ready,
    // By these the machine finds what the session leaves behind.
    AGENT_RELAY_SESSION_ID: sessionId,
    AGENT_RELAY_PROCESS_TREE: env['AGENT_RELAY_PROCESS_TREE'] ?? '',
    // The service may have been started by a session that is another agent.
    AGENT_RELAY_AGENT_ID: '',
    AGENT_RELAY_PLUGIN_SESSION: '',
  };
  await writeFile(settings, JSON.stringify({ env: told }), { mode: 0o600 });
  return { settings, ready, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function untilRunning(at: ClaudeCommand, jobId: string, signal: AbortSignal | undefined) {
  for (const until = performance.now() + RUNS_WITHIN_MS; performance.now() < until; await sleep(LOOK_EVERY_MS, signal ? { signal } : {})) {
    signal?.throwIfAborted();
    const job = await findJob(at, jobId, signal);
    const process = job?.pid === undefined ? undefined : await processIdentity(job.pid);
    if (job && process) return { process, vendorSessionId: job.sessionId };
  }
  throw new RelayError(
    'provider_unavailable',
    `Claude Code took a session into the background and it did not run, or ended at once. ${needsPlugin}`,
  );
}

const needsPlugin = 'It is one by its plugin: where that is not installed, install it with `npx agent-relay-plugin install`';

/** The plugin says so in a file: it is what makes the session an agent, and a session without it would hear nobody. */
async function untilReady(ready: string, process: ProcessIdentity, signal: AbortSignal | undefined): Promise<void> {
  const until = performance.now() + PLUGIN_WITHIN_MS;
  while (!existsSync(ready)) {
    signal?.throwIfAborted();
    if (performance.now() > until || (await processIdentity(process.pid)) === undefined)
      throw new RelayError('provider_unavailable', `In the background Claude Code did not become an agent. ${needsPlugin}`);
    await sleep(LOOK_EVERY_MS, signal ? { signal } : {});
  }
}
