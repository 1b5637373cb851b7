import { RelayError } from 'agent-relay-protocol';
import { parseJson, printable, withTimeout } from 'agent-relay-wire';
import { lastWords, spawnProcess } from 'agent-relay-wire/node';
import { z } from 'zod';

export interface ClaudeCommand {
  readonly command: string;
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One of the sessions that Claude Code keeps in the background, as `claude agents --json` lists it. */
const Job = z.looseObject({ id: z.string(), sessionId: z.string(), pid: z.int().min(2).optional() });
type Job = z.infer<typeof Job>;

/** How long one command may take. A first one starts Claude's own service. */
const LIMIT_MS = 30_000;

/**
 * Begins a session in the background, and answers the id by which Claude's own commands know it. The prompt is read from stdin: a command line is public.
 * @throws RelayError `unsupported` where this version has no such sessions, `not_found` when the conversation to go on with is gone,
 * `provider_unavailable` with Claude's own words otherwise.
 */
export async function beginJob(at: ClaudeCommand, args: readonly string[], prompt: string, signal?: AbortSignal): Promise<string> {
  const { code, printed, words } = await run(at, ['--bg', ...args], { input: prompt, signal });
  const id = /backgrounded · ([\w-]+)/u.exec(printed)?.[1];
  if (code === 0 && id !== undefined) return id;
  if (/unknown option '--bg'|'--bg' is not available/u.test(words))
    throw new RelayError('unsupported', 'This version of Claude Code keeps no sessions in the background: update it, or spawn it headless');
  if (words.includes('No conversation found'))
    throw new RelayError('not_found', `Claude Code has no such conversation to go on with: ${words}`);
  throw new RelayError('provider_unavailable', `Claude Code did not begin a session in the background: ${words || 'it gave no reason'}`);
}

/** The session of this id; undefined when Claude does not list it. Its `pid` is there while it runs. */
export async function findJob(at: ClaudeCommand, id: string, signal?: AbortSignal): Promise<Job | undefined> {
  const { printed } = await run(at, ['agents', '--json', '--all'], { signal });
  const listed = z.array(z.unknown()).safeParse(parseJson(printed));
  if (!listed.success) return undefined;
  return listed.data.flatMap((each) => Job.safeParse(each).data ?? []).find((job) => job.id === id);
}

/** Its conversation stays. One that has ended already is ended. */
export async function stopJob(at: ClaudeCommand, id: string): Promise<void> {
  await run(at, ['stop', id]);
}

interface RunOptions {
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
}

async function run({ command, cwd, env }: ClaudeCommand, args: readonly string[], { input, signal }: RunOptions = {}) {
  // The service that it may start is the user's, and serves their other sessions as well.
  const child = await spawnProcess({ command, args, cwd, env, unmarked: true, stdin: input === undefined ? 'ignore' : 'pipe' });
  if (input !== undefined) child.stdin.end(input);
  const giveUp = () => void child.kill({ graceMs: 500 });
  const ending = async (limit: AbortSignal) => {
    limit.addEventListener('abort', giveUp, { once: true });
    let printed = '';
    for await (const chunk of child.stdout) printed += String(chunk);
    const { code } = await child.exited;
    return { code, printed, words: printable(lastWords(child)).slice(0, 500) };
  };
  return withTimeout(ending, LIMIT_MS, { what: `end of claude ${args[0]}`, ...(signal && { signal }) });
}
