import type { McpEndpoint, Provider } from '../contract.ts';

/** Prompts that make the harness's fake model do one thing each. What a prompt says is between the harness and its model. */
export interface HarnessPrompts {
  /** The model answers with this text. */
  say(text: string): string;
  /** The model streams an answer for at least ten seconds. */
  readonly slow: string;
  /** The model writes a file with the vendor's own tool, then says something. A relative path is below the session's folder. */
  editFile(path: string, text: string): string;
  /** The model runs a shell command with the vendor's own tool, then says something. */
  runCommand(command: string): string;
}

/** One provider over the vendor's real program and a fake model, for one test or for those that share a session. */
export interface ProviderHarness {
  readonly provider: Provider;
  /** The same kind of provider where the vendor's program is not installed. */
  readonly notInstalled: { readonly provider: Provider; readonly env: Readonly<Record<string, string>> };
  /** A fresh folder, symlinks resolved. */
  readonly cwd: string;
  /** A fresh folder outside `cwd` in which the user may write. */
  readonly outside: string;
  readonly env: Readonly<Record<string, string>>;
  readonly mcp?: readonly McpEndpoint[];
  readonly prompts: HarnessPrompts;
  /** Whether the model was sent this text in any request so far. */
  wasModelSent(text: string): boolean;
  /** Forgets what the fake model complains of, such as a tool that was not offered: some modes offer none. */
  forgiveModel(): void;
  close(): Promise<void>;
}

/** What the vendor can do, so that the suite asks for no more. */
export interface ProviderAbilities {
  /** A `now` prompt reaches the model inside the running turn, at the latest with the next tool result. */
  readonly steersRunningTurn: boolean;
  /** `fyi` adds context without a turn of its own. */
  readonly addsContextOnly: boolean;
  /** In `unrestricted` its own editing tool reaches beyond the session's folder. Default true; where not, its commands still do. */
  readonly editsOutsideFolder?: boolean;
  /** The strongest state that the vendor's own word proves for a prompt that was answered. */
  readonly strongestEvidence: 'delivered' | 'seen' | 'none';
  /** An answer comes piece by piece. Default true; where not, only as a whole. */
  readonly streamsText?: boolean;
  /** A person can be asked in the middle of a turn. Default true; where not, what mail may do with a person's word is refused. */
  readonly asksPeople?: boolean;
  /** It tells which files it changed. Default true. */
  readonly tellsChanges?: boolean;
  /** Nothing holds it to less than all: only `unrestricted` sessions with `open` approval start. Default false. */
  readonly isFreeOnly?: boolean;
  /** No program runs before the first prompt, so that a start cannot be given up half-way. Default true: one runs when the session has started. */
  readonly startsProgram?: boolean;
  /** A session whose program was killed goes on: the provider starts the program again. Default false: the session ends. */
  readonly outlivesItsProgram?: boolean;
}
