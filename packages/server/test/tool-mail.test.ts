import type { AgentEvent, InboxItem, Session } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../src/logger.ts';
import { ToolRunner } from '../src/transports/mcp/mcp-tools.ts';
import { callerOf } from '../src/transports/mcp/tool-caller.ts';
import { codeOf, collect } from './core/world.ts';
import { as, FarNode, owner, SessionWorld, workspace } from './session-world.ts';
import { poll } from './support/poll.ts';

let world: SessionWorld;
let node: FarNode;
let session: Session;
let ending: AbortController;
let offered: readonly InboxItem[];
let seq: number;

/** A hosted agent whose node has its inbox, as relay-connect does. */
beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
  ending = new AbortController();
  seq = 0;
  await world.attach(node);
  session = await world.start('Lead');
  await world.relay.handlers['agents/register']({ id: 'Worker', name: 'Worker' }, as(owner));
  const nodes = { type: 'node', workspace, nodeId: 'local' } as const;
  const { batches } = await world.relay.openInbox({ id: 'Lead' }, { principal: nodes, signal: ending.signal });
  offered = collect(batches).items;
});
afterEach(async () => {
  ending.abort();
  await world.close();
});

const lead = () => ({ type: 'agent', workspace, agentId: 'Lead', epoch: session.epoch }) as const;
const tool = async (name: string, input: object): Promise<string> => {
  const tools = new ToolRunner({ relay: world.relay, log: silentLogger });
  const { content } = await tools.call(name, input, callerOf(as(lead())));
  return content.map(({ text }) => text).join('\n');
};
const does = (...events: AgentEvent[]) => {
  const entries = events.map((event) => {
    seq += 1;
    return { seq, at: world.clock.at, event };
  });
  return world.relay.nodeHandlers['activity/append']({ sessionId: session.sessionId, entries }, { ...as(owner), link: node });
};
const toolAnswered = (output: string): AgentEvent => ({
  type: 'tool.completed',
  turnId: 't',
  itemId: 'i',
  outcome: 'succeeded',
  output,
});
const turnEnded: AgentEvent = { type: 'turn.completed', turnId: 't', outcome: 'finished' };
const reply = async (replyTo: number, body: string) => {
  const sent = await world.relay.handlers['messages/send']({ from: 'Worker', replyTo, body }, as(owner));
  return sent.id;
};
const receipt = async (id: number) => {
  const { data } = await world.relay.handlers['messages/deliveries']({ id }, as(owner));
  return data.map(({ state, evidence }) => [state, evidence]);
};
/** Which of these the node may put into a prompt. */
const dispatch = async (...messageIds: number[]) => {
  const nodes = { type: 'node', workspace, nodeId: 'local' } as const;
  const reports = messageIds.map((messageId) => ({ messageId, state: 'dispatched' as const }));
  return (await world.relay.handlers['deliveries/report']({ id: 'Lead', reports }, as(nodes))).applied;
};
const timesOffered = (id: number) => offered.filter(({ message }) => message.id === id).length;

/** The tool's answer, and the id of the message it carries. */
const askAndBeAnswered = async (): Promise<{ text: string; answerId: number }> => {
  const asking = tool('relay_send', { to: 'Worker', body: 'which port?', waitForAnswerMs: 10_000 });
  let question = 0;
  await poll('the question', async () => {
    const { data } = await world.relay.handlers['messages/list']({ from: 'Lead' }, as(owner));
    question = data[0]?.id ?? 0;
    return question > 0;
  });
  const answerId = await reply(question, '4850');
  return { text: await asking, answerId };
};

describe('the answer that a tool has waited for', () => {
  it('is the agent’s own at once: its node may not put it into a prompt as well, and it is seen when the runtime repeats it', async () => {
    const { text, answerId } = await askAndBeAnswered();
    expect(text).toContain(`[msg:${answerId}] from Worker: 4850\n[end msg:${answerId} `);
    expect(await dispatch(answerId)).toEqual([]);
    await does(toolAnswered(text), turnEnded);
    expect(await receipt(answerId)).toEqual([['seen', 'echo']]);
    expect(await dispatch(answerId)).toEqual([]);
    expect(timesOffered(answerId)).toBe(1);
  });

  it('that the runtime never repeated was lost: after the turn it is offered again', async () => {
    const { answerId } = await askAndBeAnswered();
    await does(toolAnswered('MCP error: the connection was closed'), turnEnded);
    await poll('an offer', () => timesOffered(answerId) === 2);
    expect(await dispatch(answerId)).toEqual([answerId]);
  });

  it('that its node has handed over already is not the tool’s to give', async () => {
    const { id: answerId } = await world.relay.handlers['messages/send']({ from: 'Worker', to: 'Lead', body: '4850' }, as(owner));
    await poll('the offer', () => timesOffered(answerId) === 1);
    expect(await dispatch(answerId)).toEqual([answerId]);
    expect(await world.relay.toolMail.take(answerId, 'Lead', lead())).toBeNull();
  });

  it('is given to nobody who may not act as the agent, whatever transport asks', async () => {
    const { toolMail } = world.relay;
    const { id: answerId } = await world.relay.handlers['messages/send']({ from: 'Worker', to: 'Lead', body: '4850' }, as(owner));
    const other = { type: 'agent', workspace, agentId: 'Worker', epoch: 1 } as const;
    expect(await codeOf(toolMail.take(answerId, 'Lead', other))).toBe('forbidden');
    expect(await codeOf(() => toolMail.note(other, 'Lead', offered))).toBe('forbidden');
    expect(await codeOf(() => toolMail.isHosted(other, 'Lead'))).toBe('forbidden');
  });
});

describe('mail that a hosted agent fetches by itself', () => {
  it('needs no naming where the runtime repeats it, piece by piece', async () => {
    const first = await world.relay.handlers['messages/send']({ from: 'Worker', to: 'Lead', body: 'one' }, as(owner));
    const second = await world.relay.handlers['messages/send']({ from: 'Worker', to: 'Lead', body: 'two' }, as(owner));
    await poll('an offer', () => timesOffered(second.id) === 1);
    const text = await tool('relay_inbox', {});
    const cut = text.slice(0, text.indexOf(`[msg:${second.id}]`));
    await does(toolAnswered(cut));
    expect(await receipt(first.id)).toEqual([['seen', 'echo']]);
    await does(turnEnded);
    await poll('an offer', () => timesOffered(second.id) === 2);
    expect([timesOffered(first.id), await dispatch(first.id, second.id)]).toEqual([1, [second.id]]);
  });

  it('is offered to the next session when it ended before anybody said that it arrived', async () => {
    const { answerId } = await askAndBeAnswered();
    await world.relay.handlers['agents/release']({ id: 'Lead' }, as(owner));
    session = await world.start('Lead');
    const nodes = { type: 'node', workspace, nodeId: 'local' } as const;
    const { batches } = await world.relay.openInbox({ id: 'Lead' }, { principal: nodes, signal: ending.signal });
    for await (const items of batches) {
      expect(items.map(({ message }) => message.id)).toEqual([answerId]);
      break;
    }
  });
});
