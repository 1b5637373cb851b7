import { join } from 'node:path';
import type { SessionEnd, SessionIdentity } from 'agent-relay-host';
import { errorTable, messageOf, RelayError } from 'agent-relay-protocol';
import { type DuplexClosed, Pauses, sleep, unlessAborted } from 'agent-relay-wire';
import { Attachment, type NodeParts } from './attachment.ts';
import { KeptAgents } from './kept-agents.ts';
import type { NodeEnd, NodeOptions, RunningNode } from './node-contract.ts';
import { anyOwner } from './owner/owner.ts';
import type { RelayLink } from './relay-link.ts';

/** What the token of a machine of its own begins with; the owner's is written anew where it was lost. */
const NODE_TOKEN = 'ar_node_';

/** How long leaving may take after the agents are gone, to tell the relay. */
const FAREWELL_MS = 3_000;

/** States: *connecting* and *attached* in turn, then *leaving*, then ended. Agents run in all but the last. */
export class ConnectedNode implements RunningNode {
  readonly ended: Promise<NodeEnd>;
  readonly #options: NodeOptions;
  readonly #parts: NodeParts;
  readonly #leaving = new AbortController();
  readonly #kept: KeptAgents;
  readonly #attachment: Attachment;
  #stopReason: string | null = null;

  constructor(options: NodeOptions, parts: NodeParts) {
    this.#options = options;
    this.#parts = parts;
    const { links, relay, host } = parts;
    this.#kept = new KeptAgents({
      links,
      owner: options.owner ?? anyOwner,
      log: options.log,
      clock: options.clock,
      isSettled: () => relay.isSettled,
      isRunning: (agentId) => host.running.some((session) => session.agentId === agentId),
      workspacesFolder: join(options.stateDir, 'workspaces'),
      signal: this.#leaving.signal,
    });
    this.#attachment = new Attachment({ node: options, parts, kept: this.#kept, signal: this.#leaving.signal });
    this.ended = this.#run();
  }

  agentEnded(session: SessionIdentity, end: SessionEnd): void {
    if (!this.#leaving.signal.aborted) void this.#kept.ended(session, end);
  }

  async stop(reason: string): Promise<void> {
    this.#stopReason ??= reason;
    this.#leaving.abort();
    await this.ended;
  }

  async #run(): Promise<NodeEnd> {
    try {
      const end = await this.#stayConnected();
      const reason = {
        stopped: this.#stopReason ?? 'The node stopped',
        abandoned: 'The relay was away too long',
        refused: 'The relay refused the node',
      };
      await this.#leave(reason[end.type]);
      return end;
    } finally {
      this.#parts.lock.release();
    }
  }

  async #stayConnected(): Promise<NodeEnd> {
    const { graceMs = 600_000, log, onStatus = () => {} } = this.#options;
    // Not by the clock: a machine that learns the time after its start would end its agents for it.
    let lostAt = performance.now();
    let wasAttached = false;
    const pauses = new Pauses({ initialMs: 100, maxMs: 5_000 });
    while (!this.#leaving.signal.aborted) {
      try {
        const link = await this.#attachment.open();
        wasAttached = true;
        pauses.reset();
        const closed = await untilClosed(link, this.#leaving.signal);
        if (this.#leaving.signal.aborted) break;
        // Connecting again would take it back from there, and so on for ever.
        if (closed?.code === errorTable.stale_session.closeCode)
          return {
            type: 'refused',
            error: new RelayError('stale_session', 'another process has attached as the same machine'),
            wasAttached,
          };
        log.warn('the relay is gone, connecting again');
        onStatus({ type: 'lost' });
        lostAt = performance.now();
      } catch (error) {
        if (this.#leaving.signal.aborted) break;
        if (error instanceof RelayError && (willNeverPass(error, wasAttached) || (await this.#isRevoked(error))))
          return { type: 'refused', error, wasAttached };
        log.warn('the relay cannot be reached', error instanceof RelayError ? { code: error.code, reason: error.message } : { error });
        onStatus({ type: 'unreachable', reason: messageOf(error) });
      }
      const leftMs = lostAt + graceMs - performance.now();
      if (leftMs <= 0) return { type: 'abandoned' };
      await pauses.take({ signal: this.#leaving.signal, atMostMs: leftMs });
    }
    return { type: 'stopped' };
  }

  /** A machine's own token, once it is refused, is refused for ever: unless another has been put in its place. */
  async #isRevoked({ code }: RelayError): Promise<boolean> {
    const shown = this.#attachment.shownToken;
    if (code !== 'unauthorized' || !shown?.startsWith(NODE_TOKEN)) return false;
    return (await this.#options.readToken().catch(() => null)) === shown;
  }

  async #leave(reason: string): Promise<void> {
    const { host, relay, links, tools } = this.#parts;
    await host.close(reason);
    await tools.close();
    const until = performance.now() + FAREWELL_MS;
    while (links.current !== null && !relay.isSettled && performance.now() < until) {
      await relay.flush();
      if (!relay.isSettled) await sleep(50);
    }
    await links.current?.close();
  }
}

/** Credentials that were good once may be good again; those that never were will not become so by asking. */
const willNeverPass = ({ code }: RelayError, wasAttached: boolean): boolean =>
  code === 'unsupported' || (!wasAttached && (code === 'unauthorized' || code === 'forbidden' || code === 'forbidden_scope'));

/** How the link ended; null when the signal came first. */
function untilClosed(link: RelayLink, signal: AbortSignal): Promise<DuplexClosed | null> {
  return unlessAborted(link.closed, signal).catch(() => null);
}
