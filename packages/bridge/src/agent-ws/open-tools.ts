/** A use of a tool as clients know it. */
export interface NamedTool {
  readonly toolName: string;
  readonly toolId: string;
  readonly input?: unknown;
}

const mostTools = 1_000;
/** Characters of JSON. */
const mostInput = 4 << 20;

/** The tools of a turn that have begun and not ended, for what their end repeats. Of too many, or too much, the oldest end with their id alone. */
export class OpenTools {
  readonly #tools = new Map<string, { readonly tool: NamedTool; readonly weight: number }>();
  #weight = 0;

  add(tool: NamedTool): void {
    this.take(tool.toolId);
    const weight = JSON.stringify(tool.input ?? null).length;
    this.#tools.set(tool.toolId, { tool, weight });
    this.#weight += weight;
    for (const oldest of this.#tools.keys()) {
      if (this.#tools.size <= mostTools && this.#weight <= mostInput) return;
      this.take(oldest);
    }
  }

  take(toolId: string): NamedTool | undefined {
    const known = this.#tools.get(toolId);
    if (!known) return undefined;
    this.#tools.delete(toolId);
    this.#weight -= known.weight;
    return known.tool;
  }

  clear(): void {
    this.#tools.clear();
    this.#weight = 0;
  }
}
