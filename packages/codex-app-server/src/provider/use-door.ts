import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { touchedFiles } from 'agent-relay-protocol';
import type { ApprovalQuestion, ProcessSandbox, SessionEvents, StartOptions } from 'agent-relay-provider';
import { judgeTool } from 'agent-relay-provider/kit';
import { lenient, parseJson } from 'agent-relay-wire';
import { z } from 'zod';
import type { ConfigValue, ThreadConfig } from '../app-server/methods.ts';

/** Where the settings of one thread stand, as Codex calls it. */
export const threadSettingsPath = '/<session-flags>/config.toml';

/** Whether sessions here ask before they change files: the shell of Windows reads the hook's command otherwise. */
export const reserves = process.platform !== 'win32';

const patchTool = 'apply_patch';
const matcher = `Bash|${patchTool}`;
/** After that Codex lets the use pass. */
const timeoutSeconds = 10;
/** No model writes as much at once. */
const longestInput = 16 * 1024 * 1024;

/** As much is read at once of all who ask together: an agent in a sandbox reaches the door as well. */
const longestTogether = 4 * longestInput;
const mostTogether = 256;

/** Every shell takes these as they stand, and every system as the path of a socket. */
const plainFolder = /^\/[\w/.@+-]{0,60}$/u;

/** Carries what Codex says to the door, and back why not, which exit code 2 makes a no of. Without quotes, for any shell. */
const messenger =
  'const c=net.connect(process.argv[1]);process.stdin.pipe(c);' +
  '(async()=>{for await(const d of c){process.exitCode=2;process.stderr.write(d)}})().catch(()=>{})';

const HookedUseSchema = z.looseObject({
  cwd: z.string(),
  tool_name: z.string(),
  tool_use_id: lenient(z.string()),
  turn_id: lenient(z.string()),
  tool_input: z.looseObject({ command: z.string() }),
});

/** A use of a tool that Codex is about to run. */
export interface HookedUse extends Pick<ApprovalQuestion, 'kind' | 'cwd' | 'title' | 'itemId'> {
  readonly kind: 'edit' | 'execute';
  readonly cwd: string;
  readonly turnId?: string;
  readonly input: Readonly<Record<string, string>>;
}

interface Judged extends Pick<StartOptions, 'mode' | 'cwd' | 'reservedAgainst'> {
  /** Whether the sandbox of this turn gives nothing, so that Codex asks. */
  readonly isReadOnly?: (turnId: string) => boolean;
}

/** Why a use is not to be run, for its model; null where it may. */
export type JudgeHooked = (use: HookedUse) => Promise<string | null>;

/**
 * Where the hook of one session asks: Codex runs it before each command and each edit, whatever the mode. The hook stands in the settings of the
 * session's thread alone and is trusted there alone; nothing is written into the user's.
 */
export class UseDoor {
  /** What the session's processes need to reach it. */
  readonly files: { readonly read: readonly string[]; readonly write: readonly string[] };
  /** For the thread's `hooks`. */
  readonly hooks: ThreadConfig;
  /** Default: everything may be run. */
  judge: JudgeHooked = async () => null;
  readonly #server: Server;
  readonly #folder: string;
  readonly #sockets = new Set<Socket>();
  #held = 0;

  private constructor(server: Server, folder: string, socketPath: string) {
    this.#server = server;
    this.#folder = folder;
    this.files = { read: [process.execPath], write: [folder] };
    this.hooks = hookSettings(socketPath);
    server.maxConnections = mostTogether;
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** Undefined where nothing may be changed, where everything may, and on Windows. */
  static async for({ mode, reservedAgainst }: Pick<StartOptions, 'mode' | 'reservedAgainst'>): Promise<UseDoor | undefined> {
    const isJudged = mode === 'agentic' || (mode === 'unrestricted' && reservedAgainst !== undefined);
    return reserves && isJudged ? await UseDoor.#open() : undefined;
  }

  static async #open(): Promise<UseDoor> {
    const temporary = resolve(tmpdir());
    const folder = await mkdtemp(join(plainFolder.test(temporary) ? temporary : '/tmp', 'agent-relay-codex-'));
    const socketPath = join(folder, 'hook.sock');
    const server = createServer({ allowHalfOpen: true });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(socketPath, resolve);
      });
      return new UseDoor(server, folder, socketPath);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const chunks: Buffer[] = [];
    let size = 0;
    socket.on('error', () => {}); // whoever asked is gone
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#held -= size;
    });
    socket.setTimeout(timeoutSeconds * 1000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
      this.#held += chunk.length;
      if (size > longestInput || this.#held > longestTogether) socket.destroy();
      else chunks.push(chunk);
    });
    socket.once('end', () => {
      this.#answer(Buffer.concat(chunks).toString('utf8')).then(
        (reason) => socket.end(reason ?? ''),
        () => socket.destroy(),
      );
    });
  }

  async #answer(text: string): Promise<string | null> {
    return await this.judge(readUse(text));
  }
}

function readUse(text: string): HookedUse {
  const { cwd, tool_name: tool, tool_use_id: itemId, turn_id: turnId, tool_input } = HookedUseSchema.parse(parseJson(text));
  const about = { cwd, ...(itemId === undefined ? {} : { itemId }), ...(turnId === undefined ? {} : { turnId }) };
  const { command } = tool_input;
  if (tool === patchTool) return { ...about, kind: 'edit', title: 'Apply a patch', input: { patch: command } };
  return { ...about, kind: 'execute', title: `Run ${command.split('\n', 1)[0] ?? ''}`, input: { command } };
}

/**
 * Refuses what the mode forbids for good and what another agent has reserved, and tells of it as a question without options: nobody is asked.
 * Codex asks about nothing that a turn's sandbox gives, and that gives the whole folder.
 */
export function judgeHooked({ mode, cwd, reservedAgainst, isReadOnly }: Judged, events: SessionEvents): JudgeHooked {
  return async ({ turnId: turnOf, ...use }) => {
    const isAskedAbout = turnOf !== undefined && isReadOnly?.(turnOf) === true;
    const forbidden = mode === 'agentic' && !isAskedAbout ? guardedBy(use, cwd) : null;
    const message = forbidden ?? (await reservedAgainst?.(use)) ?? null;
    if (message === null) return null;
    const approvalId = `${forbidden === null ? 'reserved' : 'guarded'}-${use.itemId ?? use.title}`;
    const turnId = events.openTurnId;
    events.emit({ ...use, ...(turnId === null ? {} : { turnId }), type: 'approval.requested', approvalId, options: [] });
    events.emit({ type: 'approval.resolved', approvalId, outcome: 'denied', by: 'policy', message });
    return message;
  };
}

/** Why a use may not be run in an agentic session, as far as it says what it writes. What lies outside of the folder is left to Codex's own sandbox. */
function guardedBy(use: HookedUse, cwd: string): string | null {
  const judged = (paths: readonly string[]) =>
    judgeTool({ kind: 'edit', name: use.title, paths }, { mode: 'agentic', approval: 'open', cwd }, false);
  const files = touchedFiles(use);
  const isUntold = files === null && use.kind === 'edit';
  const verdicts = isUntold ? [judged([])] : (files ?? []).map((file) => judged([file]));
  for (const verdict of verdicts) if (verdict.outcome === 'refuse' && (isUntold || verdict.because === 'guarded')) return verdict.message;
  return null;
}

/** The same sandbox, with what its processes need to reach the door. */
export function withDoor(sandbox: ProcessSandbox, { files }: UseDoor): ProcessSandbox {
  const { kind } = sandbox;
  return {
    kind,
    confine: (process, { read = [], write = [], ...more } = {}) =>
      sandbox.confine(process, { ...more, read: [...read, ...files.read], write: [...write, ...files.write] }),
  };
}

function hookSettings(socketPath: string): ThreadConfig {
  const hook = { type: 'command', command: `exec '${process.execPath}' -e '${messenger}' '${socketPath}'`, timeout: timeoutSeconds };
  const trusted = {
    enabled: true,
    trusted_hash: fingerprintOf({ event_name: 'pre_tool_use', matcher, hooks: [{ ...hook, async: false }] }),
  };
  return { PreToolUse: [{ matcher, hooks: [hook] }], state: { [`${threadSettingsPath}:pre_tool_use:0:0`]: trusted } };
}

/** By which Codex knows a hook again: what it is, as JSON with its keys in order. */
const fingerprintOf = (hook: ConfigValue): string =>
  `sha256:${createHash('sha256')
    .update(JSON.stringify(inOrder(hook)))
    .digest('hex')}`;

function inOrder(value: ConfigValue): ConfigValue {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, held]) => [key, inOrder(held)]),
  );
}
