import { type Keeper, SharedRoom } from '../sessions/shared-room.ts';

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
export class OpenTools implements Keeper {
  readonly #room: SharedRoom;
  readonly #tools = new Map<string, { readonly tool: NamedTool; readonly weight: number }>();
  #weight = 0;

  constructor(room = new SharedRoom()) {
    this.#room = room;
  }

  add(tool: NamedTool): void {
    this.#remove(tool.toolId);
    const weight = JSON.stringify(tool).length;
    this.#tools.set(tool.toolId, { tool, weight });
    this.#weight += weight;
    for (const oldest of this.#tools.keys()) {
      if (this.#tools.size <= mostTools && this.#weight <= mostInput) break;
      this.#remove(oldest);
    }
    this.#room.weigh(this, this.#weight);
  }

  take(toolId: string): NamedTool | undefined {
    const tool = this.#remove(toolId);
    if (tool) this.#room.weigh(this, this.#weight);
    return tool;
  }

  give(characters: number): number {
    const before = this.#weight;
    for (const oldest of this.#tools.keys()) {
      if (before - this.#weight >= characters) break;
      this.#remove(oldest);
    }
    return before - this.#weight;
  }

  clear(): void {
    this.#tools.clear();
    this.#weight = 0;
    this.#room.leave(this);
  }

  #remove(toolId: string): NamedTool | undefined {
    const known = this.#tools.get(toolId);
    if (!known) return undefined;
    this.#tools.delete(toolId);
    this.#weight -= known.weight;
    return known.tool;
  }
}
