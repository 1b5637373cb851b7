import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import type {
  AgentSession,
  Provider,
  ProviderAvailability,
  SandboxFiles,
  SandboxPlace,
  StartOptions,
  VendorAbilities,
} from 'agent-relay-provider';
import {
  detectProgram,
  findProgram,
  ownedProcess,
  ProviderSessions,
  printedBy,
  type TrackedStart,
  type VendorProgram,
} from 'agent-relay-provider/kit';
import { parseJson } from 'agent-relay-wire';
import { type ChildHandle, lastWords, type SpawnProcessOptions, spawnProcess } from 'agent-relay-wire/node';
import { z } from 'zod';
import { howToInstall } from '../../app-server/codex-app-server.ts';
import { findCodex } from '../../app-server/native-binary.ts';
import { usableEnvironment } from '../../app-server/temporary-folder.ts';
import { isConfigKey } from '../../exec/exec-command.ts';
import { runExec } from '../../exec/run-exec.ts';
import { areHooksOff, hooksAreOff } from '../hooks-off.ts';
import { codexSandboxFiles } from '../sandbox-files.ts';
import { judgeHooked, reserves, UseDoor, withDoor } from '../use-door.ts';
import { execConfig, headerEnvironment, sandboxOf } from './exec-policy.ts';
import { ExecSession } from './exec-session.ts';
import { writeImages } from './prompt-images.ts';
import { assertStored } from './stored-thread.ts';

export interface CodexExecProviderOptions {
  /** A name or a path. Default: `codex` from the session's `PATH`. */
  readonly command?: string;
}

interface Ready {
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly confine: (outside: SpawnProcessOptions) => Promise<SpawnProcessOptions>;
}

interface Looked {
  readonly version: string;
  /** Names of those in the user's own settings. */
  readonly userMcpServers: readonly string[];
  readonly hooksAreOff: boolean;
}

/**
 * Codex agents without a server: each prompt is a `codex exec --json` that resumes the agent's thread. No steering, no streamed text and nobody who is
 * asked; for programs and machines where nothing may stay running between two prompts.
 */
export class CodexExecProvider implements Provider {
  readonly id = 'codex-exec';
  readonly resumes = true;
  readonly abilities: VendorAbilities = {
    ...{ steer: 'waits', approvals: false, diffs: true, reserves },
    modes: ['safe', 'agentic', 'unrestricted'],
  };
  readonly environment = ['OPENAI_*', 'CODEX_*', 'RUST_LOG', 'RUST_BACKTRACE'];
  readonly #program: VendorProgram;
  readonly #sessions = new ProviderSessions<ExecSession>('Codex');

  constructor({ command = 'codex' }: CodexExecProviderOptions = {}) {
    const find = (name: string, env: Readonly<Record<string, string>>) => findCodex({ command: name, env });
    this.#program = { name: 'Codex', command, install: howToInstall, find };
  }

  sandboxFiles({ env }: SandboxPlace): SandboxFiles {
    return codexSandboxFiles(codexHomeOf(env));
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
    const command = await findProgram(this.#program, options.env);
    if (options.resume !== undefined) await assertStored(codexHomeOf(options.env), options.resume);
    const folder = await mkdtemp(join(tmpdir(), 'agent-relay-codex-'));
    let door: UseDoor | undefined;
    const release = async () => {
      await Promise.all([door?.close(), rm(folder, { recursive: true, force: true, maxRetries: 5 })]);
    };
    try {
      door = await UseDoor.for(options);
      const sandbox = options.sandbox && door ? withDoor(options.sandbox, door) : options.sandbox;
      const env = await usableEnvironment(options.env, undefined, folder);
      const confine = async (outside: SpawnProcessOptions) => (await sandbox?.confine(outside, { write: [folder] })) ?? outside;
      return await this.#startSession(options, { command, env, confine }, { folder, release, door });
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #startSession(
    options: TrackedStart,
    ready: Ready,
    { folder, release, door }: { readonly folder: string; readonly release: () => Promise<void>; readonly door: UseDoor | undefined },
  ): Promise<ExecSession> {
    const { cwd, mode, approval, mcp, instructions, model, resume, whenUnread, extraArgs, onProcess } = options;
    const { version, userMcpServers, hooksAreOff: isOpenToAll } = await this.#look(options, ready, door !== undefined);
    const rights = { mode, approval };
    const session = new ExecSession({
      ...rights,
      ...{ cwd, version, release, resume, whenUnread, model: model ?? null },
      relayServers: new Set(mcp.map(({ name }) => name)),
      run: async ({ isMail, images, ...turn }) => {
        const pictures = await writeImages(folder, images);
        const run = await runExec({
          ...turn,
          ...ready,
          ...{ cwd, model, extraArgs, imagePaths: pictures.paths },
          env: { ...ready.env, ...headerEnvironment(mcp) },
          sandbox: sandboxOf({ ...rights, isMail }),
          config: execConfig({ ...rights, isMail, instructions, mcp, userMcpServers, hooks: door?.hooks }),
          onProcess: (child) => onProcess(ownedProcess(child, { purpose: 'codex exec' })),
        });
        void run.child.exited.then(pictures.remove);
        return run;
      },
    });
    if (door) door.judge = judgeHooked(options, session.events);
    if (door && isOpenToAll) session.events.emit(hooksAreOff());
    return session;
  }

  /** What has to be known before the first prompt: that the program runs, and what a safe session must switch off. */
  async #look(options: TrackedStart, ready: Ready, hasHook: boolean): Promise<Looked> {
    const ask = (...args: readonly string[]) => answerOf(options, ready, args);
    const version = /\d+\.\d+\S*/u.exec(await ask('--version'))?.[0] ?? 'unknown';
    if (options.mode === 'safe') return { version, userMcpServers: serverNames(await ask('mcp', 'list', '--json')), hooksAreOff: false };
    // One that cannot say so is taken to run them.
    const soon = { ...options, signal: AbortSignal.any([options.signal, AbortSignal.timeout(saysSoMs)]) };
    const features = hasHook ? await answerOf(soon, ready, ['features', 'list']).catch(() => '') : '';
    options.signal.throwIfAborted();
    return { version, userMcpServers: [], hooksAreOff: areHooksOff(features) };
  }
}

const codexHomeOf = (env: Readonly<Record<string, string>>): string =>
  resolve(env['CODEX_HOME'] ?? join(env['HOME'] ?? homedir(), '.codex'));

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

/** Nobody waits longer for what a start can do without. */
const saysSoMs = 10_000;

async function answerOf({ cwd, onProcess, signal }: TrackedStart, ready: Ready, args: readonly string[]): Promise<string> {
  const { command, env, confine } = ready;
  await using child: ChildHandle = await spawnProcess(await confine({ command, args, cwd, env, stdin: 'ignore' }));
  onProcess(ownedProcess(child, { purpose: `codex ${args.join(' ')}` }));
  const { printed, code } = await printedBy(child, signal);
  signal.throwIfAborted();
  if (code !== 0) throw unavailable(lastWords(child) || `codex ${args.join(' ')} exited with ${code}`);
  return printed;
}

const unavailable = (why: string): RelayError => new RelayError('provider_unavailable', `Codex did not start: ${why}`);
