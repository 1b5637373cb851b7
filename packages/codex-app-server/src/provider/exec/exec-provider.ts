import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import type { AgentSession, Provider, ProviderAvailability, StartOptions } from 'agent-relay-provider';
import {
  detectProgram,
  findProgram,
  ownedProcess,
  ProviderSessions,
  type TrackedStart,
  type VendorProgram,
} from 'agent-relay-provider/kit';
import { parseJson } from 'agent-relay-wire';
import { type ChildHandle, lastWords, spawnProcess } from 'agent-relay-wire/node';
import { z } from 'zod';
import { howToInstall } from '../../app-server/codex-app-server.ts';
import { findCodex } from '../../app-server/native-binary.ts';
import { usableEnvironment } from '../../app-server/temporary-folder.ts';
import { isConfigKey } from '../../exec/exec-command.ts';
import { runExec } from '../../exec/run-exec.ts';
import { execConfig, headerEnvironment, sandboxOf } from './exec-policy.ts';
import { ExecSession } from './exec-session.ts';

export interface CodexExecProviderOptions {
  /** A name or a path. Default: `codex` from the session's `PATH`. */
  readonly command?: string;
}

interface Ready {
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly userMcpServers: readonly string[];
}

/**
 * Codex agents without a server: each prompt is a `codex exec --json` that resumes the agent's thread. No steering, no streamed text and nobody who is
 * asked; for programs and machines where nothing may stay running between two prompts.
 */
export class CodexExecProvider implements Provider {
  readonly id = 'codex-exec';
  readonly environment = ['OPENAI_*', 'CODEX_*', 'RUST_LOG', 'RUST_BACKTRACE'];
  readonly #program: VendorProgram;
  readonly #sessions = new ProviderSessions<ExecSession>('Codex');

  constructor({ command = 'codex' }: CodexExecProviderOptions = {}) {
    const find = (name: string, env: Readonly<Record<string, string>>) => findCodex({ command: name, env });
    this.#program = { name: 'Codex', command, install: howToInstall, find };
  }

  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    return detectProgram(this.#program, env);
  }

  start(options: StartOptions): Promise<AgentSession> {
    return this.#sessions.start(options, (tracked) => this.#start(tracked));
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }

  async #start(options: TrackedStart): Promise<ExecSession> {
    const { cwd, mode, approval, mcp, instructions, model, onProcess } = options;
    const command = await findProgram(this.#program, options.env);
    const folder = await mkdtemp(join(tmpdir(), 'agent-relay-codex-'));
    const release = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
    try {
      const env = await usableEnvironment(options.env, undefined, folder);
      const { version, userMcpServers } = await this.#look(options, { command, env });
      const rights = { mode, approval };
      return new ExecSession({
        ...rights,
        cwd,
        model: model ?? null,
        version,
        relayServers: new Set(mcp.map(({ name }) => name)),
        release,
        run: ({ isMail, ...turn }) =>
          runExec({
            ...turn,
            command,
            env: { ...env, ...headerEnvironment(mcp) },
            cwd,
            model,
            sandbox: sandboxOf({ ...rights, isMail }),
            config: execConfig({ ...rights, isMail, instructions, mcp, userMcpServers }),
            onProcess: (child) => onProcess(ownedProcess(child, { purpose: 'codex exec' })),
          }),
      });
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** What has to be known before the first prompt: that the program runs, and what a safe session must switch off. */
  async #look(options: TrackedStart, { command, env }: Pick<Ready, 'command' | 'env'>): Promise<Omit<Ready, 'command' | 'env'>> {
    const ask = (...args: readonly string[]) => printedBy({ ...options, env }, command, args);
    const version = /\d+\.\d+\S*/u.exec(await ask('--version'))?.[0] ?? 'unknown';
    return { version, userMcpServers: options.mode === 'safe' ? serverNames(await ask('mcp', 'list', '--json')) : [] };
  }
}

const ServersPage = z.array(z.looseObject({ name: z.string() }));

/** Without this list a safe session has the tools of the user's own servers, so a failure to get it is one. */
function serverNames(printed: string): readonly string[] {
  const parsed = ServersPage.safeParse(parsedJson(printed));
  const odd = parsed.data?.find(({ name }) => !isConfigKey(name))?.name;
  if (!parsed.success || odd !== undefined)
    throw unavailable(
      odd === undefined ? 'its list of MCP servers cannot be read' : `the MCP server ${JSON.stringify(odd)} cannot be switched off`,
    );
  return parsed.data.map(({ name }) => name);
}

function parsedJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

type Asking = Pick<TrackedStart, 'cwd' | 'onProcess' | 'signal'> & Pick<Ready, 'env'>;

async function printedBy({ env, cwd, onProcess, signal }: Asking, command: string, args: readonly string[]): Promise<string> {
  const child: ChildHandle = await spawnProcess({ command, args, cwd, env, stdin: 'ignore' });
  const end = () => void child.kill({ graceMs: 500 });
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    onProcess(ownedProcess(child, { purpose: `codex ${args.join(' ')}` }));
    let printed = '';
    for await (const chunk of child.stdout) printed += String(chunk);
    const { code } = await child.exited;
    signal.throwIfAborted();
    if (code !== 0) throw unavailable(lastWords(child) || `codex ${args.join(' ')} exited with ${code}`);
    return printed;
  } finally {
    signal.removeEventListener('abort', end);
    await child.kill({ graceMs: 500 });
  }
}

const unavailable = (why: string): RelayError => new RelayError('provider_unavailable', `Codex did not start: ${why}`);
