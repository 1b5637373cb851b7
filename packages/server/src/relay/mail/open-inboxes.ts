import { HeldMail, Inbox } from './inbox.ts';

/** The inboxes that are in memory, by workspace and agent. */
export class OpenInboxes {
  readonly held = new HeldMail();
  readonly #byWorkspace = new Map<string, Map<string, Inbox>>();

  find(workspace: string, agentId: string): Inbox | undefined {
    return this.#byWorkspace.get(workspace)?.get(agentId);
  }

  /** The agent's, which is opened when it is not yet. */
  of(workspace: string, agentId: string, now: number): Inbox {
    const inboxes = this.#byWorkspace.get(workspace) ?? new Map<string, Inbox>();
    this.#byWorkspace.set(workspace, inboxes);
    const inbox = inboxes.get(agentId) ?? new Inbox(workspace, agentId, now, this.held);
    inboxes.set(agentId, inbox);
    return inbox;
  }

  in(workspace: string): Iterable<Inbox> {
    return this.#byWorkspace.get(workspace)?.values() ?? [];
  }

  *all(): Generator<Inbox, void, undefined> {
    for (const inboxes of this.#byWorkspace.values()) yield* inboxes.values();
  }

  drop({ workspace, agentId }: Inbox): void {
    const inboxes = this.#byWorkspace.get(workspace);
    inboxes?.delete(agentId);
    if (inboxes?.size === 0) this.#byWorkspace.delete(workspace);
  }
}
