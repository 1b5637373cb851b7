import type { AgentSession, McpEndpoint, PromptInput, Provider, StartOptions } from 'agent-relay-provider';
import { SessionEvents } from './fixtures/earlier-build.mjs';

/** Agents of the earlier build that need no model. A word in their mail says what they do in its turn: `answer`, `ask` or `shout`. */
export const scribeProvider: Provider = {
  id: 'scribe',
  detect: async () => ({ available: true, version: '1', command: process.execPath }),
  start: async (options) => new Scribe(options),
  close: async () => {},
};

class Scribe implements AgentSession {
  readonly vendorSessionId = crypto.randomUUID();
  readonly model = null;
  readonly events: SessionEvents;
  readonly #tools: McpEndpoint | undefined;
  #turns = 0;
  #last = Promise.resolve();

  constructor({ cwd, mcp }: StartOptions) {
    this.#tools = mcp[0];
    this.events = new SessionEvents({ cwd });
    this.events.emit({ type: 'session.started', vendorSessionId: this.vendorSessionId, cwd, version: '1' });
    this.events.emit({ type: 'session.status', status: 'idle' });
  }

  async prompt(input: PromptInput): Promise<void> {
    this.#last = this.#last.then(() => this.#turn(input));
  }

  async interrupt(): Promise<boolean> {
    return false;
  }

  async resolveApproval(approvalId: string, decision: Parameters<SessionEvents['approvals']['resolve']>[1]): Promise<boolean> {
    return this.events.approvals.resolve(approvalId, decision);
  }

  async close(): Promise<void> {
    this.events.approvals.close();
    this.events.end({ reason: 'closed' });
  }

  async #turn({ text, messageIds }: PromptInput): Promise<void> {
    this.#turns += 1;
    const turnId = `turn-${this.#turns}`;
    this.events.emit({ type: 'turn.started', turnId });
    this.events.emit({ type: 'session.status', status: 'busy' });
    this.events.emit({ type: 'user.message', turnId, text, messageIds: [...messageIds] });
    for (const messageId of messageIds) this.events.emit({ type: 'input.accepted', messageId, evidence: 'turn', state: 'seen' });
    const said = await this.#act(text, turnId, messageIds[0]);
    this.events.emit({ type: 'text.completed', turnId, itemId: `${turnId}-text`, text: said });
    this.events.emit({ type: 'turn.completed', turnId, outcome: 'finished' });
    this.events.emit({ type: 'session.status', status: 'idle' });
  }

  async #act(text: string, turnId: string, messageId: number | undefined): Promise<string> {
    if (text.includes('answer')) return this.#call('relay_reply', { messageId, body: 'As you say.' });
    if (text.includes('shout')) return '->relay:owner Hear me.';
    if (!text.includes('ask')) return 'Noted.';
    const { outcome } = await this.events.approvals.ask({ title: 'Sharpen the pen', kind: 'execute', turnId });
    return `The pen: ${outcome}.`;
  }

  /** What a model's runtime does with a tool, over the door that the node gave it. */
  async #call(name: string, input: object): Promise<string> {
    if (!this.#tools) return 'There are no tools.';
    const { url, headers } = this.#tools;
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input } });
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
    return answer.ok ? 'Answered.' : await answer.text();
  }
}
