import { RecentMap } from 'agent-relay-wire';
import type { SystemFrame } from '../stream-json/message-frames.ts';

interface Task {
  readonly toolUseId: string | undefined;
  readonly words: string;
}

const tasksKept = 256;

/**
 * What Claude runs beside its conversation (`run_in_background`, and sub-agents unless told otherwise). When such a task ends, or its sub-agent speaks
 * after the turn that began it, a turn begins that nobody prompted.
 */
export class BackgroundTasks {
  readonly #tasks = new RecentMap<string, Task>(tasksKept);
  #news: string | undefined;

  hear({ subtype, task_id: id, tool_use_id: toolUseId, description, status }: SystemFrame): void {
    if (id === undefined) return;
    if (subtype === 'task_started') this.#tasks.set(id, { toolUseId, words: description ?? id });
    if (subtype === 'task_notification') this.#news = `Background task "${this.#tasks.get(id)?.words ?? id}" ${status ?? 'ended'}`;
  }

  /** Why a turn begins that nobody prompted, as far as Claude has said it; told once. `parent` is the call of the sub-agent that speaks. */
  takeCause(parent: string | null): string | undefined {
    const news = this.#news;
    this.#news = undefined;
    if (news !== undefined || parent === null) return news;
    for (const { toolUseId, words } of this.#tasks.values()) if (toolUseId === parent) return `Background task "${words}" goes on`;
    return undefined;
  }
}
