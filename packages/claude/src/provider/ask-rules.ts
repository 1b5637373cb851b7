import { RelayError } from 'agent-relay-protocol';
import { z } from 'zod';
import { ASK_RULES_MAX, AskRuleSchema } from '../stream-json/ask-settings.ts';
import type { ClaudeConnection } from '../stream-json/claude-connection.ts';
import type { ClaudeFrame } from '../stream-json/frames.ts';
import { SystemFrame } from '../stream-json/message-frames.ts';
import { type ClaudeRights, toolUse } from './tool-policy.ts';
import { mcpPrefix } from './tool-words.ts';
import type { ClaudeTranslator } from './translator.ts';

/** Of any version; what a session has besides, it says itself. */
const ownTools = [
  ...['Edit', 'MultiEdit', 'Write', 'NotebookEdit', 'Bash', 'PowerShell', 'Monitor', 'REPL', 'KillShell', 'BashOutput'],
  ...['Read', 'NotebookRead', 'LS', 'Grep', 'Glob', 'LSP', 'WebFetch', 'WebSearch', 'ListMcpResourcesTool', 'ReadMcpResourceTool'],
  ...['Task', 'Agent', 'Skill', 'SlashCommand', 'Workflow', 'TaskOutput', 'TaskStop', 'TaskCreate', 'TaskGet', 'TaskList', 'TaskUpdate'],
  ...['TodoWrite', 'EnterPlanMode', 'ExitPlanMode', 'EnterWorktree', 'ExitWorktree', 'SendMessage', 'TeamCreate', 'TeamDelete'],
  ...['CronCreate', 'CronDelete', 'CronList', 'RemoteTrigger', 'ScheduleWakeup', 'PushNotification', 'ListAgents', 'Config'],
];

type Rights = Pick<ClaudeRights, 'mode' | 'approval' | 'relayServers' | 'reservedAgainst'>;

/**
 * What Claude shall ask about by itself, so that a tool whose hook nobody answers is asked about, and not run by the user's own rules: all that the mode
 * refuses whatever those allow, and what mail may not do unasked, while it may be in the turn. In `unrestricted` all that may change files: others may have
 * reserved them. In `agentic` a command that the user allows is not among it: what is asked about goes by their rules no more.
 */
export function toolsToAskAbout(
  { mode, approval, relayServers, reservedAgainst }: Rights,
  known: Iterable<string>,
  mayHoldMail: boolean,
): string[] {
  const isAskedAbout = (name: string): boolean => {
    const { kind } = toolUse({ name, input: {} }, relayServers);
    if (kind === 'relay' || kind === 'question') return false;
    if (mode === 'safe') return true;
    if ((approval !== 'open' && mayHoldMail) || (mode === 'unrestricted' && reservedAgainst)) return kind !== 'read';
    return mode === 'agentic' && kind === 'edit';
  };
  return [...known].filter(isAskedAbout).slice(0, ASK_RULES_MAX);
}

const asksAboutServers = ({ mode, approval, reservedAgainst }: Rights): boolean =>
  mode === 'safe' || approval !== 'open' || (mode === 'unrestricted' && reservedAgainst !== undefined);

const Servers = z.object({ mcpServers: z.array(z.looseObject({ name: z.string() })) });

type Told = Pick<ClaudeConnection, 'askAbout' | 'control' | 'version'>;

/** Keeps the rules of one Claude Code as wide as what may be in its turn, where it takes them. */
export class AskRules {
  readonly #rights: Rights;
  readonly #translator: Pick<ClaudeTranslator, 'mayHoldMail'>;
  readonly #known = new Set<string>(ownTools);
  #connection: Told | undefined;
  #isNeeded = true;
  #areTaken = false;
  /** Of which state Claude has been told last; null where nobody knows what it has. */
  #said: string | null = null;
  #saying: Promise<void> = Promise.resolve();

  constructor(rights: Rights, translator: Pick<ClaudeTranslator, 'mayHoldMail'>) {
    this.#rights = rights;
    this.#translator = translator;
  }

  /** For the beginning of a link. */
  begin(): readonly string[] {
    this.#said = this.#state;
    return this.#wanted();
  }

  /** Whether Claude took what `begin` gave. */
  answered(areTaken: boolean): void {
    this.#areTaken = areTaken;
  }

  /** One that says its version gives up a tool whose hook is not answered, and needs no rules: they would only ask about what its user allows. */
  async attach(connection: Told): Promise<void> {
    this.#connection = connection;
    this.#isNeeded = connection.version === null;
    if (!this.#isNeeded) return this.update().catch(() => {});
    if (!this.#areTaken || !asksAboutServers(this.#rights)) return;
    const answer = await connection.control('mcp_status').catch(() => null);
    const status = Servers.safeParse(answer);
    if (status.success) this.#meet([], status.data.mcpServers);
  }

  /** What a session says it has, and what its turn has become. */
  heard(frame: ClaudeFrame): void {
    const system = frame.subtype === 'init' ? SystemFrame.safeParse(frame) : null;
    if (system?.success) this.#meet(system.data.tools, system.data.mcp_servers);
    else void this.update().catch(() => {});
  }

  /**
   * Resolves when Claude has the rules for what may be in its turn now, and where it takes none; between two links at once, for the next one begins with them.
   * @throws RelayError `timeout`, `unsupported`.
   */
  update(): Promise<void> {
    const connection = this.#connection;
    if (!connection || !this.#areTaken) return Promise.resolve();
    if (this.#state === this.#said) return this.#saying;
    this.#said = this.#state;
    this.#saying = this.#say(connection, this.#wanted());
    this.#saying.catch(() => {});
    return this.#saying;
  }

  async #say(connection: Pick<ClaudeConnection, 'askAbout'>, rules: readonly string[]): Promise<void> {
    try {
      await connection.askAbout(rules);
    } catch (error) {
      if (error instanceof RelayError && error.code === 'connection_closed') return;
      this.#said = null;
      throw error;
    }
  }

  /** What the rules follow from, in a word that is cheap to make: it is looked at with each piece of a text. */
  get #state(): string {
    return this.#isNeeded ? `${this.#known.size} ${this.#translator.mayHoldMail}` : 'none';
  }

  #wanted(): string[] {
    if (!this.#isNeeded) return [];
    return toolsToAskAbout(this.#rights, this.#known, this.#translator.mayHoldMail);
  }

  /** A server's name stands for all of its tools, also for those that it offers later. */
  #meet(tools: readonly string[], servers: readonly { readonly name: string }[]): void {
    const { relayServers } = this.#rights;
    const others = servers.filter(({ name }) => !relayServers.includes(name)).map(({ name }) => mcpPrefix(name).slice(0, -2));
    const isCovered = (tool: string) => others.some((server) => tool.startsWith(`${server}__`));
    for (const name of [...others, ...tools.filter((tool) => !isCovered(tool))]) {
      if (AskRuleSchema.safeParse(name).success) this.#known.add(name);
    }
    void this.update().catch(() => {});
  }
}
