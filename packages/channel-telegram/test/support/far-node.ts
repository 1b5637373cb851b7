import type { AgentEvent } from 'agent-relay-protocol';
import { PROTOCOL_VERSION, WEB_SOCKET_PATH } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';

interface Answered {
  readonly approvalId: string;
  readonly outcome: string;
  readonly optionId?: string;
  readonly answers?: object;
}

type Requested = Extract<AgentEvent, { type: 'approval.requested' }>;
export type FarQuestion = { readonly title: string; readonly input: unknown } & Partial<Pick<Requested, 'options' | 'form'>>;

/** A machine with one kind of agent, `scripted`, that asks what the test says and waits for the answer. */
export class FarNode {
  readonly answered: Answered[] = [];
  readonly #peer: JsonRpcPeer;
  #sessionId = '';
  #seq = 0;

  private constructor(peer: (node: FarNode) => JsonRpcPeer) {
    this.#peer = peer(this);
  }

  static async attach(url: string, token: string): Promise<FarNode> {
    const address = `${url.replace(/^http/u, 'ws')}${WEB_SOCKET_PATH}`;
    const duplex = await connectWebSocket(address, { headers: { authorization: `Bearer ${token}` } });
    const node = new FarNode((self) => new JsonRpcPeer(duplex, { onRequest: (method, params) => self.#obey(method, params) }));
    const providers = [{ id: 'scripted', available: true, version: '1', reason: null }];
    await node.#peer.request('nodes/attach', { name: 'far', version: '1', protocol: PROTOCOL_VERSION, providers, sessions: [] });
    return node;
  }

  ask(approvalId: string, question: FarQuestion): Promise<void> {
    const options = [
      { id: 'allow', label: 'Allow', outcome: 'allow' as const },
      { id: 'deny', label: 'Deny', outcome: 'deny' as const },
    ];
    const { title, input, ...own } = question;
    return this.#say({
      type: 'approval.requested',
      approvalId,
      kind: 'execute',
      title,
      cwd: '/work',
      input: JSON.parse(JSON.stringify(input)),
      options,
      ...own,
    });
  }

  /** Nobody answered in time. */
  giveUp(approvalId: string): Promise<void> {
    return this.#say({ type: 'approval.resolved', approvalId, outcome: 'denied', by: 'timeout' });
  }

  async #say(event: AgentEvent): Promise<void> {
    this.#seq += 1;
    const entries = [{ seq: this.#seq, at: 1, event }];
    await this.#peer.request('activity/append', { sessionId: this.#sessionId, entries });
  }

  async #obey(method: string, params: unknown): Promise<unknown> {
    // What the relay sends is what is tested elsewhere: here only the two commands matter.
    if (method === 'session/start') {
      const { session } = params as { session: { sessionId: string } };
      this.#sessionId = session.sessionId;
      return { cwd: '/work', vendorSessionId: null, model: null };
    }
    if (method !== 'session/resolve-approval') return {};
    const { approvalId, outcome, by, optionId, answers } = params as Answered & { by: string };
    this.answered.push({ approvalId, outcome, ...(optionId && { optionId }), ...(answers && { answers }) });
    await this.#say({ type: 'approval.resolved', approvalId, outcome: outcome === 'allow' ? 'allowed' : 'denied', by });
    return { resolved: true };
  }

  async close(): Promise<void> {
    await this.#peer.close();
  }
}
