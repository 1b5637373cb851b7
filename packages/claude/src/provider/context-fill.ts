import type { LiveEvent } from 'agent-relay-provider';
import type { AssistantFrame, ResultFrame } from '../stream-json/message-frames.ts';

/** Share of the context window from which on Claude is about to compact what it knows. The same as Codex's. */
const nearlyFull = 0.85;

/**
 * How full the conversation is, by what the model's last request cost: `get_context_usage` answers the same number, and asks the vendor's API to count
 * tokens 17 times for it (2.1.120; 26 times in 2.1.329). Told once each time that it becomes nearly full.
 */
export class ContextFill {
  #model: string | undefined;
  #usedTokens = 0;
  #window = 0;
  #isNearlyFull = false;

  /** The model has spoken in the main conversation. */
  spoke({ message }: AssistantFrame): LiveEvent[] {
    const { model, usage } = message ?? {};
    if (!usage) return [];
    this.#model = model;
    this.#usedTokens = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens + usage.output_tokens;
    return this.#told();
  }

  /** A result says how much fits. */
  answered({ modelUsage }: ResultFrame): LiveEvent[] {
    const own = Object.entries(modelUsage).find(([name]) => this.#model !== undefined && name.startsWith(this.#model));
    this.#window = own?.[1].contextWindow ?? Math.max(this.#window, ...Object.values(modelUsage).map(({ contextWindow }) => contextWindow));
    return this.#told();
  }

  #told(): LiveEvent[] {
    const isNearlyFull = this.#window > 0 && this.#usedTokens >= this.#window * nearlyFull;
    const isNews = isNearlyFull && !this.#isNearlyFull;
    this.#isNearlyFull = isNearlyFull;
    return isNews ? [{ type: 'context.warning', usedTokens: this.#usedTokens, contextWindow: this.#window }] : [];
  }
}
