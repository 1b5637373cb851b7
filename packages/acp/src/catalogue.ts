/** Paths from the user's home. */
export interface HomeFiles {
  readonly scratch?: readonly string[];
  readonly read?: readonly string[];
  readonly write?: readonly string[];
}

/** One kind of agent that speaks the Agent Client Protocol. All that differs between them stands here, and no code asks for their names. */
export interface AcpAgent {
  /** What people type: `agent-relay spawn gemini`. */
  readonly id: string;
  readonly name: string;
  /** A name that is looked up in the session's `PATH`, and asked for its `--version`. */
  readonly command: string;
  readonly args: readonly string[];
  /** How it is installed, as the end of a sentence: "install it …". */
  readonly install: string;
  /** The variables that it reads; `X_*` is every name that begins with `X_`. */
  readonly environment: readonly string[];
  /** Set for it where the session's environment does not, so that no file in the folder of a session does. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** Set for it whatever the session's environment says. */
  readonly sets?: Readonly<Record<string, string>>;
  /** What an editor or an agent around the host has set for itself, and must not reach a session. */
  readonly outer?: RegExp;
  /** The option that takes a model's name. Without one a session takes the model of the agent's own settings. */
  readonly modelOption?: string;
  /**
   * What holds a session to its mode. `gemini-policy`: a policy file that has each use of a tool asked about which does not only look. `none`: nothing
   * is known that the user's own settings could not undo, so that only `unrestricted` sessions with `open` approval start.
   */
  readonly fence: 'gemini-policy' | 'none';
  /** The oldest version, as major and minor, whose fence has been seen to hold. */
  readonly fenceSince?: readonly [number, number];
  /** The mode of its own in which it asks us, or does, what it would leave to a judge of its own that refuses the relay's tools. */
  readonly sessionMode?: string;
  /** It has been seen to open the conversation that it is asked for. Not Gemini: 0.61 loses one that is opened in the minute in which it was made. */
  readonly resumes?: true;
  /** What it says as if it were an answer, and is a notice of its own. */
  readonly notices?: RegExp;
  /** How long a turn may take to stop before the agent is ended. Default 2 000. */
  readonly stopGraceMs?: number;
  /**
   * What of the user's home it needs inside a sandbox, by paths from there: folders of its own that it forgets (`scratch`), what it may read, and where
   * it keeps what stays. Without it no session is put in one.
   */
  readonly homeFiles?: HomeFiles;
  /** What to do when it wants a login, as a sentence. */
  readonly login: string;
  /**
   * What the row rests on. `run`: its real program passes the tests of this package. `seen`: its program has been run with the protocol, not by these
   * tests. `documented`: its vendor, or its own `--help`, says so, and nobody here has run a turn of it.
   */
  readonly evidence: 'run' | 'seen' | 'documented';
}

const gemini: AcpAgent = {
  id: 'gemini',
  name: 'Gemini CLI',
  command: 'gemini',
  args: ['--acp'],
  install: 'with `npm install -g @google/gemini-cli`',
  environment: ['GEMINI_*', 'GOOGLE_*', 'CODE_ASSIST_ENDPOINT', 'NO_BROWSER'],
  // It reads the `.env` of its folder, and takes from there what is not set at all: where the key and the conversation go, and what is run.
  defaults: {
    ...{ GOOGLE_GEMINI_BASE_URL: '', GOOGLE_VERTEX_BASE_URL: '', CODE_ASSIST_ENDPOINT: 'https://cloudcode-pa.googleapis.com' },
    ...{ GEMINI_TELEMETRY_ENABLED: '', NODE_TLS_REJECT_UNAUTHORIZED: '1', NODE_OPTIONS: '' },
    ...{ GEMINI_SANDBOX: '', GEMINI_SANDBOX_PROXY_COMMAND: '' },
  },
  // Otherwise it starts itself a second time, which costs half a second and 150 MB.
  sets: { GEMINI_CLI_NO_RELAUNCH: '1' },
  // With these it would show its changes in an editor and take that one's word.
  outer: /^(?:GEMINI_CLI|GEMINI_CLI_IDE_.*)$/u,
  modelOption: '--model',
  fence: 'gemini-policy',
  fenceSince: [0, 61],
  homeFiles: {
    // There lies the `rg` that it runs, also outside.
    scratch: ['.gemini', '.gemini/tmp/bin'],
    read: [
      ...['settings.json', 'GEMINI.md', '.env', 'oauth_creds.json', 'google_accounts.json', 'google_account_id', 'gemini-credentials.json'],
      ...['trustedFolders.json', 'installation_id', 'extensions', 'commands', 'policies', 'skills', 'agents'],
    ].map((name) => `.gemini/${name}`),
    // Not its history: those are repositories in which it runs git.
    write: ['.gemini/tmp'],
  },
  notices: /^\[MODE_UPDATE\] \w+$/u,
  login:
    'Google ended the logins of individuals in June 2026: set GEMINI_API_KEY, or log `gemini` in with an account of a Standard or Enterprise plan',
  evidence: 'run',
};

const others: readonly AcpAgent[] = [
  {
    id: 'opencode',
    name: 'OpenCode',
    command: 'opencode',
    args: ['acp'],
    install: 'with `npm install -g opencode-ai`',
    environment: ['OPENCODE_*', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY'],
    fence: 'none',
    homeFiles: {
      // Programs and plugins lie there that it runs elsewhere too.
      scratch: ['.local/share/opencode', '.local/state/opencode', '.cache/opencode'],
      read: ['.config/opencode', '.local/share/opencode/auth.json'],
      write: ['.local/share/opencode/storage'],
    },
    // It has been seen to take a second where others take some milliseconds.
    stopGraceMs: 5_000,
    login: 'Log it in with `opencode auth login`',
    evidence: 'run',
  },
  {
    id: 'codex-acp',
    name: 'Codex (ACP)',
    command: 'codex-acp',
    args: [],
    install: 'with `npm install -g @agentclientprotocol/codex-acp`',
    environment: ['CODEX_*', 'OPENAI_*'],
    fence: 'none',
    sessionMode: 'agent-full-access',
    resumes: true,
    login: 'Log it in with `codex login`, or set OPENAI_API_KEY',
    evidence: 'run',
  },
  {
    id: 'claude-agent-acp',
    name: 'Claude (ACP)',
    command: 'claude-agent-acp',
    args: [],
    install: 'with `npm install -g @agentclientprotocol/claude-agent-acp`',
    environment: ['ANTHROPIC_*', 'CLAUDE_*', 'IS_SANDBOX'],
    fence: 'none',
    sessionMode: 'default',
    resumes: true,
    login: 'Log it in with `claude`, or set ANTHROPIC_API_KEY',
    evidence: 'run',
  },
  {
    id: 'qwen',
    name: 'Qwen Code',
    command: 'qwen',
    args: ['--acp'],
    install: 'with `npm install -g @qwen-code/qwen-code`',
    environment: ['QWEN_*', 'OPENAI_*', 'DASHSCOPE_API_KEY'],
    fence: 'none',
    login: 'Log it in with `qwen`, or set OPENAI_API_KEY and OPENAI_BASE_URL',
    evidence: 'seen',
  },
  {
    id: 'copilot',
    name: 'GitHub Copilot CLI',
    command: 'copilot',
    args: ['--acp'],
    install: 'with `npm install -g @github/copilot`',
    environment: ['COPILOT_*', 'GH_TOKEN', 'GITHUB_TOKEN'],
    fence: 'none',
    login: 'Log it in with `copilot`, or set GH_TOKEN',
    evidence: 'documented',
  },
  {
    id: 'cursor',
    name: 'Cursor',
    command: 'cursor-agent',
    args: ['acp'],
    install: 'as https://cursor.com/cli says (the npm package of this name is another program)',
    environment: ['CURSOR_*'],
    fence: 'none',
    login: 'Log it in with `cursor-agent login`, or set CURSOR_API_KEY',
    evidence: 'documented',
  },
  {
    id: 'goose',
    name: 'Goose',
    command: 'goose',
    args: ['acp'],
    install: 'as https://block.github.io/goose says',
    environment: ['GOOSE_*', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GOOGLE_API_KEY', 'OPENROUTER_API_KEY'],
    fence: 'none',
    login: 'Set it up with `goose configure`',
    evidence: 'documented',
  },
  {
    id: 'cline',
    name: 'Cline',
    command: 'cline',
    args: ['--acp'],
    install: 'with `npm install -g cline`',
    environment: ['CLINE_*', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'OPENROUTER_API_KEY'],
    fence: 'none',
    login: 'Log it in with `cline auth`',
    evidence: 'documented',
  },
  {
    id: 'droid',
    name: 'Factory Droid',
    command: 'droid',
    args: ['exec', '--output-format', 'acp'],
    install: 'with `npm install -g @factory/cli`',
    environment: ['FACTORY_*'],
    fence: 'none',
    login: 'Log it in with `droid`, or set FACTORY_API_KEY',
    evidence: 'documented',
  },
  {
    id: 'kimi',
    name: 'Kimi Code',
    command: 'kimi',
    args: ['acp'],
    install: 'with `npm install -g @moonshot-ai/kimi-code`',
    environment: ['KIMI_*', 'MOONSHOT_*'],
    fence: 'none',
    login: 'Log it in with `kimi`, or set KIMI_API_KEY',
    evidence: 'documented',
  },
  {
    id: 'auggie',
    name: 'Auggie',
    command: 'auggie',
    args: ['--acp'],
    install: 'with `npm install -g @augmentcode/auggie`',
    environment: ['AUGMENT_*'],
    fence: 'none',
    login: 'Log it in with `auggie login`',
    evidence: 'documented',
  },
  {
    id: 'vibe',
    name: 'Mistral Vibe',
    command: 'vibe-acp',
    args: [],
    install: 'with `uv tool install mistral-vibe`',
    environment: ['VIBE_*', 'MISTRAL_*'],
    fence: 'none',
    login: 'Set it up with `vibe --setup`, or set MISTRAL_API_KEY',
    evidence: 'documented',
  },
];

/** Every agent that is known to speak the protocol, by its id. */
export const acpAgents: Readonly<Record<string, AcpAgent>> & { readonly gemini: AcpAgent } = {
  gemini,
  ...Object.fromEntries(others.map((agent) => [agent.id, agent])),
};
