import type { SandboxFiles } from 'agent-relay-provider';

/** A kind of agent that is a command line: each turn is one run of it. All that differs between them stands here. */
export interface LineAgent {
  /** What people type: `agent-relay spawn cortex`. */
  readonly id: string;
  readonly name: string;
  /** A name that is looked up in the session's `PATH`, and asked for its `--version`. */
  readonly command: string;
  /** `{prompt}` stands for the prompt; where it does not stand, the prompt is written to its input, which ends then. */
  readonly args: readonly string[];
  /** Behind the others, from the second turn on and where a session goes on with a conversation: `{session}` is its id. */
  readonly resumeArgs?: readonly string[];
  /** Behind the others where a session names a model: `{model}`. */
  readonly modelArgs?: readonly string[];
  /**
   * What its output is. `claude-json`: the frames that Claude Code says with `--output-format stream-json`, a JSON object a line. `text`: what it prints is
   * its answer, and nothing is read into it.
   */
  readonly output: 'claude-json' | 'text';
  /** It is run in a terminal of its own, for a program that does nothing without one. Only with `text`. */
  readonly terminal?: boolean;
  /** Lines of `text` that mean something, for those who know their program; nothing is looked for otherwise. */
  readonly patterns?: LinePatterns;
  readonly install: string;
  /** The variables that it reads; `X_*` is every name that begins with `X_`. */
  readonly environment: readonly string[];
  /** Set for it whatever the session's environment says. */
  readonly sets?: Readonly<Record<string, string>>;
  /** What of the user's home it needs inside a sandbox, by paths from there. Without it no session is put in one. */
  readonly homeFiles?: SandboxFiles;
  /** `documented`: its vendor says so, and nobody here has run a turn of it. `run`: its real program passes the tests of this package. */
  readonly evidence: 'run' | 'documented';
}

/** Regular expressions by what a line means that matches: it is told besides. */
export interface LinePatterns {
  readonly quota?: RegExp;
  readonly error?: RegExp;
}

const agents: readonly LineAgent[] = [
  {
    id: 'cortex',
    name: 'Snowflake Cortex Code',
    command: 'cortex',
    args: ['-p', '{prompt}', '--output-format', 'stream-json', '--dangerously-allow-all-tool-calls'],
    resumeArgs: ['--resume', '{session}'],
    modelArgs: ['-m', '{model}'],
    output: 'claude-json',
    install: 'as Snowflake says for Cortex Code',
    environment: ['CORTEX_*', 'SNOWFLAKE_*'],
    homeFiles: {
      scratch: ['.snowflake/cortex'],
      read: ['.snowflake/config.toml', '.snowflake/connections.toml'],
      write: ['.snowflake/cortex/conversations'],
    },
    evidence: 'documented',
  },
  {
    id: 'amp',
    name: 'Amp',
    command: 'amp',
    args: ['--execute', '--stream-json', '--dangerously-allow-all'],
    output: 'claude-json',
    install: 'with `npm install -g @sourcegraph/amp`',
    environment: ['AMP_*'],
    homeFiles: {
      scratch: ['.local/share/amp', '.cache/amp'],
      read: ['.config/amp', '.local/share/amp/secrets.json'],
      write: ['.local/share/amp/threads'],
    },
    evidence: 'documented',
  },
  {
    id: 'qwen-lines',
    name: 'Qwen Code (lines)',
    command: 'qwen',
    args: ['--output-format', 'stream-json', '--include-partial-messages', '--approval-mode', 'yolo'],
    resumeArgs: ['--resume', '{session}'],
    modelArgs: ['--model', '{model}'],
    output: 'claude-json',
    install: 'with `npm install -g @qwen-code/qwen-code`',
    environment: ['QWEN_*', 'OPENAI_*', 'DASHSCOPE_API_KEY'],
    homeFiles: {
      // There lies the `rg` that it runs, also outside.
      scratch: ['.qwen', '.qwen/tmp/bin'],
      read: ['.qwen/settings.json', '.qwen/oauth_creds.json'],
      write: ['.qwen/tmp', '.qwen/projects'],
    },
    evidence: 'documented',
  },
  {
    // It speaks no protocol: its answer comes in one piece, nothing is told of its tools, and a turn is stopped by ending its run.
    id: 'agy',
    name: 'Antigravity CLI',
    command: 'agy',
    args: ['-p', '{prompt}'],
    output: 'text',
    install: 'as Google says for the Antigravity CLI (it is not on npm)',
    environment: ['ANTIGRAVITY_*', 'GEMINI_API_KEY', 'GOOGLE_*'],
    evidence: 'documented',
  },
];

/** Every command line that is known to say Claude Code's frames, by its id. */
export const lineAgents: Readonly<Record<string, LineAgent>> = Object.fromEntries(agents.map((agent) => [agent.id, agent]));
