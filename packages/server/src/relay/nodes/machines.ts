import { randomUUID } from 'node:crypto';
import { principalName, type RouteInput, type RouteOutput } from 'agent-relay-protocol';
import type { TokenRecord } from '../../domain/change.ts';
import { tokenCreated, tokenRevoked } from '../../domain/describe-token.ts';
import { pairNode, removeNode, renameNode } from '../../domain/node-lifecycle.ts';
import { newPairedNodeId } from '../../domain/owners-node.ts';
import { assertMayTendNodes } from '../../domain/scopes.ts';
import { listedById } from '../contract/listed.ts';
import type { CallContext, HandlersOf } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';
import type { NodeRegistry } from './node-registry.ts';
import type { Nodes } from './nodes.ts';
import type { Admission, Pairings } from './pairings.ts';

export interface MachinesDeps extends Pick<RelayCore, 'store' | 'clock' | 'log' | 'tokens'> {
  readonly registry: NodeRegistry;
  readonly nodes: Pick<Nodes, 'list' | 'endAll'>;
  readonly pairings: Pairings;
}

const UNTRUSTED = 'The token of its machine was revoked';

/** Which machines may run agents: let in, renamed, taken out. When one loses its token its agents end with its link. */
export class Machines {
  readonly handlers: HandlersOf<'nodes'>;
  readonly #deps: MachinesDeps;
  readonly #ending = new Set<Promise<void>>();
  readonly #stopListening: () => void;

  constructor(deps: MachinesDeps) {
    this.#deps = deps;
    this.handlers = {
      'nodes/list': (input, { principal }) => deps.nodes.list(principal, input),
      'nodes/pairings': (page, context) => this.#pairings(page, context),
      'nodes/pair': (input, context) => this.#pair(input, context),
      'nodes/rename': (input, context) => this.#rename(input, context),
      'nodes/remove': (input, context) => this.#remove(input, context),
    };
    this.#stopListening = deps.store.tokens.onEnded((ended) => {
      for (const record of ended) if (record.type === 'node') this.#lostToken(record);
    });
  }

  async close(): Promise<void> {
    this.#stopListening();
    await Promise.all(this.#ending);
  }

  #pairings(page: RouteInput<'nodes/pairings'>, { principal }: CallContext): RouteOutput<'nodes/pairings'> {
    assertMayTendNodes(principal);
    const { pairings, store } = this.#deps;
    return { ...listedById(pairings.pending(), ({ code }) => code, page), cursor: store.log.head };
  }

  async #pair({ code, name }: RouteInput<'nodes/pair'>, { principal }: CallContext): Promise<RouteOutput<'nodes/pair'>> {
    assertMayTendNodes(principal);
    const { pairings, store, tokens, clock, log } = this.#deps;
    const { workspace } = principal;
    const by = principalName(principal);
    const { node } = await pairings.accept(code, async (asked) => {
      const nodeId = newPairedNodeId(randomUUID().slice(0, 8));
      const { token, record } = tokens.mint('node', { workspace, nodeId });
      const machine = { nodeId, name: name ?? asked.name, version: asked.version, at: clock.now(), by };
      const tell = (named: TokenRecord) => tokenCreated(named, by);
      const paired = await store.nodes.change(workspace, nodeId, (facts) => pairNode(facts, record, { ...machine, tell }));
      const admission: Admission = { token, nodeId, name: paired.name };
      return { node: paired, admission };
    });
    log.info('node paired', { nodeId: node.nodeId, name: node.name, by });
    return node;
  }

  async #rename({ id, name }: RouteInput<'nodes/rename'>, { principal }: CallContext): Promise<RouteOutput<'nodes/rename'>> {
    assertMayTendNodes(principal);
    const { store, registry, clock, log } = this.#deps;
    const { workspace } = principal;
    const deed = { at: clock.now(), by: principalName(principal) };
    const node = await store.nodes.change(workspace, id, (facts) => renameNode(id, facts, name, deed));
    registry.rename(workspace, id, name);
    log.info('node renamed', { nodeId: id, name, by: deed.by });
    return registry.asSeen(workspace, node);
  }

  async #remove({ id }: RouteInput<'nodes/remove'>, { principal }: CallContext): Promise<RouteOutput<'nodes/remove'>> {
    assertMayTendNodes(principal);
    const { store, registry, clock, log, pairings } = this.#deps;
    const { workspace } = principal;
    const at = clock.now();
    const by = principalName(principal);
    const tell = (token: TokenRecord) => tokenRevoked(token, at, by);
    const node = await store.nodes.change(workspace, id, (facts) =>
      removeNode(id, facts, { at, by, isOnline: registry.find(workspace, id) !== null, tell }),
    );
    pairings.forget(id);
    registry.find(workspace, id)?.link.close('unauthorized', 'This machine was removed');
    log.info('node removed', { nodeId: id, name: node.name, by });
    await this.#deps.nodes.endAll(workspace, id, UNTRUSTED);
    return node;
  }

  /** Its agents hold tokens of their own, which end with their sessions. */
  #lostToken({ workspace, nodeId }: TokenRecord): void {
    const { nodes, pairings, log, store } = this.#deps;
    if (nodeId === null) return;
    pairings.forget(nodeId);
    const end = async () => {
      const hasAnother = (await store.tokens.list(workspace)).some((token) => token.type === 'node' && token.nodeId === nodeId);
      if (!hasAnother) await nodes.endAll(workspace, nodeId, UNTRUSTED);
    };
    const ending = end()
      .catch((error: unknown) => log.error('the agents of a machine could not be ended', { nodeId, error }))
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}
