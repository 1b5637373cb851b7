import type { Node } from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';
import type { NodeLink } from '../contract/relay-contract.ts';

export interface AttachedNode {
  readonly workspace: string;
  readonly node: Node;
  readonly link: NodeLink;
}

/** Which machines are connected right now, and since when the others are not. Memory only: a restart forgets every link. */
export class NodeRegistry {
  readonly #attached = new Map<string, AttachedNode>();
  readonly #byLink = new Map<NodeLink, AttachedNode>();
  readonly #lostAt = new Map<string, number>();
  readonly #startedAt: number;
  readonly #attachments = new Bell();

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** Takes a link as the node's; answers the one it replaces. */
  attach(attached: AttachedNode): AttachedNode | null {
    const key = keyOf(attached.workspace, attached.node.nodeId);
    const before = this.#attached.get(key) ?? null;
    if (before !== null) this.#byLink.delete(before.link);
    this.#attached.set(key, attached);
    this.#byLink.set(attached.link, attached);
    this.#lostAt.delete(key);
    this.#attachments.ring();
    return before?.link === attached.link ? null : before;
  }

  /** Answers the node that is without a link now; null when the link was replaced before. */
  detach(link: NodeLink, now: number): AttachedNode | null {
    const attached = this.#byLink.get(link);
    if (!attached) return null;
    const key = keyOf(attached.workspace, attached.node.nodeId);
    this.#byLink.delete(link);
    this.#attached.delete(key);
    this.#lostAt.set(key, now);
    return attached;
  }

  /** The machine has just been heard of. */
  heard({ workspace, node, link }: AttachedNode, now: number): void {
    const attached = { workspace, node: { ...node, lastSeenAt: now }, link };
    this.#attached.set(keyOf(workspace, node.nodeId), attached);
    this.#byLink.set(link, attached);
  }

  /** It is called so from now on. */
  rename(workspace: string, nodeId: string, name: string): void {
    const attached = this.find(workspace, nodeId);
    if (attached) this.heard({ ...attached, node: { ...attached.node, name } }, attached.node.lastSeenAt);
  }

  find(workspace: string, nodeId: string): AttachedNode | null {
    return this.#attached.get(keyOf(workspace, nodeId)) ?? null;
  }

  byLink(link: NodeLink): AttachedNode | null {
    return this.#byLink.get(link) ?? null;
  }

  /** Since when a node has no link: from the start of this relay, if it has not been seen since. */
  lostAt(workspace: string, nodeId: string): number {
    return this.#lostAt.get(keyOf(workspace, nodeId)) ?? this.#startedAt;
  }

  all(): readonly AttachedNode[] {
    return [...this.#attached.values()];
  }

  /** Machines that went before then are no longer told from those that this relay never saw. */
  forgetLost(before: number): void {
    for (const [key, at] of this.#lostAt) if (at < before) this.#lostAt.delete(key);
  }

  /** The connected machines; one that has just come may not be in the store yet. */
  online(workspace: string): readonly Node[] {
    return this.all().flatMap((attached) => (attached.workspace === workspace ? [attached.node] : []));
  }

  /** Resolves when a machine has attached, or the signal aborts. */
  nextAttach(signal: AbortSignal): Promise<void> {
    return this.#attachments.next({ signal });
  }

  /** A node as it is now, whatever was written of it last. */
  asSeen(workspace: string, node: Node): Node {
    return this.find(workspace, node.nodeId)?.node ?? { ...node, status: 'offline', connectedAt: null };
  }
}

const keyOf = (workspace: string, nodeId: string): string => `${workspace}\n${nodeId}`;
