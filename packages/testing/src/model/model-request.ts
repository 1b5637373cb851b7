/** One thing in a conversation, whatever vendor's words carried it. */
export type ConversationEntry =
  /** What a person, a peer or the relay said to the model. */
  | { readonly kind: 'userText'; readonly text: string }
  /** What the CLI itself put between: reminders, environment notes, developer instructions. */
  | { readonly kind: 'context'; readonly text: string }
  | { readonly kind: 'assistantText'; readonly text: string }
  /** `name` is the bare tool name: `relay_send`, not `mcp__agent-relay__relay_send`. */
  | { readonly kind: 'toolCall'; readonly id: string; readonly name: string; readonly input: unknown }
  | ({ readonly kind: 'toolResult' } & ToolResult);

export interface ToolResult {
  readonly id: string;
  /** The bare name of the tool that was called; empty when the conversation has no call with this id. */
  readonly name: string;
  readonly text: string;
  /** Anthropic and Google say so on the wire; false for OpenAI. */
  readonly isError: boolean;
}

export interface OfferedTool {
  /** The bare name: what a script says. */
  readonly name: string;
  /**
   * The vendor's name with its MCP server: `mcp__agent-relay__relay_send` (Claude), `mcp__agent_relay__relay_send` (Codex),
   * `mcp_agent-relay_relay_send` (Gemini).
   */
  readonly fullName: string;
  /** How a call is written: JSON arguments, free text, a search for tools that are not in the request, or what the endpoint itself runs (`hosted`). */
  readonly form: 'function' | 'freeform' | 'search' | 'hosted';
  /** Codex groups the tools of an MCP server in a namespace and wants it repeated in a call. */
  readonly namespace: string | undefined;
  readonly schema: unknown;
}

/** What a CLI asked the model, in words that are the same for every vendor. */
export interface ModelRequest {
  readonly vendor: 'anthropic' | 'openai' | 'google';
  readonly modelName: string;
  readonly system: string;
  /** Everything said so far, oldest first. The fake's own preparing calls (tool search, reading before writing) are left out. */
  readonly conversation: readonly ConversationEntry[];
  /** The newest user text, or an empty string. */
  readonly lastUserText: string;
  readonly toolResultsSinceLastAssistant: readonly ToolResult[];
  readonly tools: readonly OfferedTool[];
  readonly headers: Readonly<Record<string, string>>;
  /** The request body as it came. */
  readonly raw: unknown;
}

/** The parts of a request that follow from its conversation. */
export function summarise(
  conversation: readonly ConversationEntry[],
): Pick<ModelRequest, 'lastUserText' | 'toolResultsSinceLastAssistant'> {
  const lastUserText = conversation.findLast((entry) => entry.kind === 'userText')?.text ?? '';
  const lastAssistant = conversation.findLastIndex((entry) => entry.kind === 'assistantText' || entry.kind === 'toolCall');
  const toolResultsSinceLastAssistant = conversation
    .slice(lastAssistant + 1)
    .flatMap((entry) => (entry.kind === 'toolResult' ? [entry] : []));
  return { lastUserText, toolResultsSinceLastAssistant };
}
