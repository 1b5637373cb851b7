import { RelayError } from 'agent-relay-protocol';
import { z } from 'zod';

/** Which conversation a launch is about: a new one, the newest of this folder, or one that Codex is told or asks for. */
export const threadModes = ['start', 'auto', 'resume'] as const;
export type ThreadMode = (typeof threadModes)[number];

/**
 * What is said on the command line, else by `CODEX_THREAD_MODE`, else by `AGENT_RELAY_CODEX_FALLBACK_THREAD_MODE`.
 * @throws RelayError `validation_failed` naming the variable.
 */
export function readThreadMode(said: ThreadMode | undefined, env: Readonly<Record<string, string | undefined>>): ThreadMode {
  if (said !== undefined) return said;
  for (const path of ['CODEX_THREAD_MODE', 'AGENT_RELAY_CODEX_FALLBACK_THREAD_MODE']) {
    const word = env[path];
    if (!word) continue;
    const mode = threadModes.find((known) => known === word);
    if (mode !== undefined) return mode;
    const message = `${path} is one of ${threadModes.join(', ')}, not ${word}`;
    throw new RelayError('validation_failed', message, { issues: [{ path, message }] });
  }
  return 'start';
}

/** How a session may act, as its owner asked for it or as `codex-relay` has it. */
export interface LaunchPlan {
  /** `tui`: a session; `other`: a command of Codex's that has none, such as `login`. */
  readonly kind: 'tui' | 'other';
  /** What Codex is started with, without the address of its server. */
  readonly args: readonly string[];
  /** The conversation that is named there, as an id. */
  readonly resumes: string | null;
}

const usualMode = ['--ask-for-approval', 'never', '--sandbox', 'workspace-write'];

/** Whoever says one of these has decided how the session may act. */
const runtimeModes =
  /^(?:(?:-a|--ask-for-approval|-s|--sandbox)(?:=.*)?|--full-auto|--yolo|--approve-for-me|--dangerously-bypass-approvals-and-sandbox)$/u;
const shortWithValue = /^-[as][a-z]/u;
const runtimeSetting = /^(?:approval_policy|sandbox_mode)\s*=/u;

/** Codex's commands without a session of a person's (0.171). */
export const otherCommands: ReadonlySet<string> = new Set(
  'agents exec e review login logout mcp plugin app-server remote-control completion update doctor sandbox debug apply a queue archive delete migrate-rollouts migrate-nfs-db unarchive cloud exec-server features help'.split(
    ' ',
  ),
);

const threadId = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/u;

/** What Codex is started with. `newest` is the newest conversation of this folder, where `auto` asked for it. */
export function planLaunch({ args, mode, newest }: { args: readonly string[]; mode: ThreadMode; newest: string | null }): LaunchPlan {
  const [first = '', ...rest] = args;
  if (otherCommands.has(first)) return { kind: 'other', args, resumes: null };
  const runtime = decidesRuntime(args) ? [] : usualMode;
  if (first === 'resume' || first === 'fork') {
    return { kind: 'tui', args: [first, ...runtime, ...rest], resumes: first === 'resume' ? threadIdIn(rest) : null };
  }
  if (mode === 'auto' && newest !== null) return { kind: 'tui', args: ['resume', ...runtime, newest, ...args], resumes: newest };
  if (mode === 'resume') return { kind: 'tui', args: ['resume', ...runtime, ...args], resumes: threadIdIn(args) };
  return { kind: 'tui', args: [...runtime, ...args], resumes: null };
}

export function decidesRuntime(args: readonly string[]): boolean {
  return args.some(
    (arg, index) =>
      runtimeModes.test(arg) ||
      shortWithValue.test(arg) ||
      (/^(?:-c|--config)$/u.test(args[index - 1] ?? '') && runtimeSetting.test(arg)) ||
      /^(?:-c|--config=)(?:approval_policy|sandbox_mode)\s*=/u.test(arg),
  );
}

/** The conversation that Codex's arguments name, as an id. */
export const threadIdIn = (args: readonly string[]): string | null => args.find((arg) => threadId.test(arg)) ?? null;

export interface RuntimeMode {
  readonly approvalPolicy: 'untrusted' | 'on-request' | 'never';
  readonly sandbox: 'read-only' | 'workspace-write' | 'danger-full-access';
}

const RuntimeModeSchema = z.object({
  approvalPolicy: z.enum(['untrusted', 'on-request', 'never']),
  sandbox: z.enum(['read-only', 'workspace-write', 'danger-full-access']),
});

/**
 * The same for a session without a terminal, which Codex is not given its options for.
 * @throws RelayError `validation_failed` naming what is no option of such a session.
 */
export function runtimeModeOf(args: readonly string[]): RuntimeMode {
  let mode: { approvalPolicy: string; sandbox: string } = { approvalPolicy: 'never', sandbox: 'workspace-write' };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [name = '', ...value] = arg.split('=');
    const said = () => (value.length > 0 ? value.join('=') : (rest.shift() ?? ''));
    if (name === '-a' || name === '--ask-for-approval') mode = { ...mode, approvalPolicy: said() };
    else if (name === '-s' || name === '--sandbox') mode = { ...mode, sandbox: said() };
    else if (name === '--full-auto') mode = { approvalPolicy: 'on-request', sandbox: 'workspace-write' };
    else if (name === '--yolo' || name === '--dangerously-bypass-approvals-and-sandbox')
      mode = { approvalPolicy: 'never', sandbox: 'danger-full-access' };
    else if (!(name === 'resume' || threadId.test(name))) throw notHeadless(name);
  }
  const { data } = RuntimeModeSchema.safeParse(mode);
  if (!data) throw notHeadless(`${mode.approvalPolicy} with ${mode.sandbox}`);
  return data;
}

function notHeadless(path: string): RelayError {
  const message = `${path} says nothing to a session without a terminal: it takes --ask-for-approval, --sandbox, --full-auto, --yolo and resume <id>`;
  return new RelayError('validation_failed', message, { issues: [{ path, message }] });
}
