import { ConversationIdSchema, parseInput } from 'agent-relay-protocol';
import type { ConfigValue, SandboxMode, ThreadConfig } from '../app-server/methods.ts';

export interface ExecTurnOptions {
  readonly cwd: string;
  readonly sandbox: SandboxMode;
  readonly model?: string | undefined;
  /** Tables are laid over the user's own, key by key down to the second level. */
  readonly config: ThreadConfig;
  /** The thread that the prompt goes on with; without it a new one begins. */
  readonly threadId?: string | undefined;
  /** Files of pictures that go with the prompt. */
  readonly imagePaths?: readonly string[] | undefined;
  /** Further options of `codex exec`. */
  readonly extraArgs?: readonly string[] | undefined;
}

/** What `codex` is started with for one prompt, which it reads from its stdin. Nothing secret: everybody on the machine can read it. */
export function execArguments(options: ExecTurnOptions): readonly string[] {
  const { cwd, sandbox, model, config, threadId, imagePaths = [], extraArgs = [] } = options;
  return [
    'exec',
    '--json',
    '--skip-git-repo-check',
    // Refused behind `resume`.
    ...['--sandbox', sandbox, '--cd', cwd],
    ...(model === undefined ? [] : [`--model=${model}`]),
    ...overrides(config).flatMap((override) => ['--config', override]),
    ...extraArgs,
    ...(threadId === undefined ? [] : ['resume', parseInput(ConversationIdSchema, threadId)]),
    // Each takes any number of files.
    ...imagePaths.flatMap((path) => ['--image', path]),
    ...['--', '-'],
  ];
}

/** `--config` cuts its key at each dot. */
export const isConfigKey = (key: string): boolean => /^[\w-]+$/u.test(key);

function overrides(config: ThreadConfig): readonly string[] {
  return Object.entries(config).flatMap(([key, value]) =>
    isTable(value) ? Object.entries(value).map(([inner, each]) => `${key}.${inner}=${toml(each)}`) : [`${key}=${toml(value)}`],
  );
}

type Table = Extract<ConfigValue, { readonly [key: string]: ConfigValue }>;
const isTable = (value: ConfigValue): value is Table => typeof value === 'object' && !Array.isArray(value);

/** On one line. What JSON escapes in a string TOML escapes in the same way, and one character more. */
function toml(value: ConfigValue): string {
  if (typeof value !== 'object') return JSON.stringify(value).replaceAll('\u007F', String.raw`\u007F`);
  if (isTable(value))
    return `{${Object.entries(value)
      .map(([key, each]) => `${JSON.stringify(key)}=${toml(each)}`)
      .join()}}`;
  return `[${value.map(toml).join()}]`;
}
