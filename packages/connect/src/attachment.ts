import type { Host, SessionIdentity } from 'agent-relay-host';
import { ownProtocols, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import type { DialledSessions } from './dialled-sessions.ts';
import { describeHooks, type HooksFile } from './hooks-file.ts';
import { InboxSubscriptions } from './inbox-subscriptions.ts';
import type { KeptAgents } from './kept-agents.ts';
import type { LinkHolder } from './link-holder.ts';
import { machineLoad } from './machine-load.ts';
import { isSameOffer, type MachineOffer, type MachineOfferOptions, machineOffer } from './machine-offer.ts';
import { type NodeCommandsOptions, nodeCommandHandler } from './node-commands.ts';
import type { NodeOptions } from './node-contract.ts';
import type { NodeRelay } from './node-relay.ts';
import { anyOwner } from './owner/owner.ts';
import { RelayLink } from './relay-link.ts';
import type { StateLock } from './state-lock.ts';
import type { ToolDoor } from './tool-door.ts';

/** A machine that attaches again soon says what it saw last; the relay has it look again when somebody asks. */
const KNOWN_FOR_MS = 60_000;

/** What a node is made of. */
export interface NodeParts {
  readonly lock: StateLock;
  readonly links: LinkHolder;
  readonly relay: NodeRelay;
  readonly host: Host;
  readonly tools: ToolDoor;
  readonly dialledSessions: DialledSessions;
  readonly hooks: HooksFile | null;
}

export interface AttachmentOptions {
  readonly node: NodeOptions;
  readonly parts: NodeParts;
  readonly kept: KeptAgents;
  /** Ended when the machine leaves. */
  readonly signal: AbortSignal;
}

/** Attaches this machine to its relay, on one link after the other. */
export class Attachment {
  readonly #options: AttachmentOptions;
  readonly #offering: MachineOfferOptions;
  #shownToken: string | null = null;

  constructor(options: AttachmentOptions) {
    this.#options = options;
    const { node, parts } = options;
    this.#offering = { host: parts.host, owner: node.owner ?? anyOwner, log: node.log };
  }

  /** What the relay was shown last. */
  get shownToken(): string | null {
    return this.#shownToken;
  }

  /** Opens a link and offers this machine on it; the link is current only once the relay has taken it. */
  async open(): Promise<RelayLink> {
    const { node, parts, kept: keptAgents, signal } = this.#options;
    const { readToken, log, name, onStatus = () => {} } = node;
    const { links, relay, host } = parts;
    let inboxes: InboxSubscriptions | null = null;
    const subscribe = (session: SessionIdentity) => void inboxes?.subscribe(session);
    this.#shownToken = await readToken();
    const link = await RelayLink.open({
      ...wayOf(node),
      token: this.#shownToken,
      signal,
      onCommand: this.#commands(subscribe),
      onNotification: (method, params) => inboxes?.receive(method, params),
      onError: (error, method) => log.error('a command failed', { method, error }),
    });
    inboxes = this.#inboxesOn(link);
    const giveUp = () => void link.close();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const offer = await machineOffer(this.#offering, KNOWN_FOR_MS);
      const { providers } = offer;
      const running = host.running;
      const sessions = host.buffers.map(({ owner, lastSeq }) => ({ ...identityOf(owner), lastSeq }));
      const answer = await link.callNode('nodes/attach', { name, version: RELAY_VERSION, ...ownProtocols, ...offer, sessions });
      log.info('attached to the relay', { nodeId: answer.nodeId, sessions: running.length });
      warnOfVersion(answer.version, log);
      const kept = new Set(answer.sessions.filter(({ keep }) => keep).map(({ sessionId }) => sessionId));
      for (const { sessionId, ackedSeq } of answer.sessions) relay.resumeFrom(sessionId, ackedSeq);
      relay.deliverFrom(inboxes);
      links.set(link);
      this.#beat(link, offer);
      keptAgents.confirmed(running.flatMap(({ sessionId, agentId }) => (kept.has(sessionId) ? [agentId] : [])));
      for (const { sessionId } of running) if (!kept.has(sessionId)) this.#release(sessionId, 'The relay has given this agent up');
      // What the runtimes said before the link was lost goes first: mail they have is then not offered again.
      await relay.reports.flush();
      for (const session of running) if (kept.has(session.sessionId) && !session.fetchesItsMail) subscribe(session);
      void relay.flush();
      void relay.readReservations();
      keptAgents.attached(answer.nodeId).catch((error: unknown) => log.error('no agent is kept', { error }));
      onStatus({
        type: 'attached',
        nodeId: answer.nodeId,
        name: answer.name ?? name,
        providers,
        relayVersion: answer.version ?? null,
        agents: host.running.map(({ agentId }) => agentId),
      });
      return link;
    } catch (error) {
      links.set(null);
      await link.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #inboxesOn(link: RelayLink): InboxSubscriptions {
    const { node, parts } = this.#options;
    const { host } = parts;
    return new InboxSubscriptions({
      link,
      log: node.log,
      deliver: (sessionId, items) => host.deliver(sessionId, items),
      onOpen: (sessionId) => host.wake(sessionId),
      onLost: (sessionId, reason) => this.#release(sessionId, reason),
    });
  }

  /** Does what the relay asks for; told of each session that it starts. */
  #commands(subscribe: (session: SessionIdentity) => void): ReturnType<typeof nodeCommandHandler> {
    const { node, parts, kept } = this.#options;
    const { url, onStatus = () => {} } = node;
    const { host, tools, dialledSessions, hooks } = parts;
    const onStarted: NodeCommandsOptions['onStarted'] = (session) => {
      // In the background its mail is fetched beside it.
      if (session.target !== 'background') subscribe(session);
      onStatus({ type: 'agentStarted', agentId: session.agentId, provider: session.provider });
    };
    return nodeCommandHandler({
      host,
      tools,
      dialledSessions,
      owner: this.#offering.owner,
      isKept: (start) => kept.isAskingFor(start),
      hooks: () => describeHooks(hooks, [...host.recentHookRuns]),
      url,
      onStarted,
    });
  }

  #beat(link: RelayLink, first: MachineOffer): void {
    const { node, parts } = this.#options;
    const { heartbeatMs = 10_000, log } = node;
    const { host, relay } = parts;
    let told = first;
    const beat = async () => {
      const sessions = host.running.map(({ sessionId, presence }) => ({ sessionId, status: presence }));
      // Programs are not looked for with each beat.
      const offer = await machineOffer(this.#offering, Number.POSITIVE_INFINITY);
      const isNew = !isSameOffer(offer, told);
      const answer = await link.callNode('nodes/heartbeat', { sessions, load: machineLoad(), ...(isNew && { offer }) });
      told = offer;
      return answer;
    };
    const timer = setInterval(() => {
      beat()
        .then(({ release }) => {
          for (const sessionId of release) this.#release(sessionId, 'The relay has given this agent up');
          void relay.readReservations();
          return relay.flush();
        })
        .catch(async (error: unknown) => {
          log.warn('a heartbeat failed', { error });
          // A relay that answers with an error is there; one that does not answer is not.
          if (error instanceof RelayError && error.code === 'timeout') await link.close();
        });
    }, heartbeatMs);
    void link.closed.then(() => clearInterval(timer));
  }

  #release(sessionId: string, reason: string): void {
    const { host } = this.#options.parts;
    host
      .release(sessionId, reason)
      .catch((error: unknown) => this.#options.node.log.error('an agent could not be released', { sessionId, error }));
  }
}

function warnOfVersion(relay: string | undefined, log: Log): void {
  if (relay === undefined || relay === RELAY_VERSION) return;
  log.warn('the relay runs another version than this node: update the older one', { relay, node: RELAY_VERSION });
}

const identityOf = ({ sessionId, agentId, instanceId, epoch }: SessionIdentity): SessionIdentity => ({
  sessionId,
  agentId,
  instanceId,
  epoch,
});

const wayOf = ({ url, socketPath, socketOwnerFile, outgoing }: NodeOptions) => ({ url, socketPath, socketOwnerFile, outgoing });
