import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, runNode } from 'agent-relay-connect';
import {
  type AgentSession,
  type ApprovalQuestion,
  type LiveEvent,
  type Provider,
  SessionEvents,
  type StartOptions,
} from 'agent-relay-provider';
import type { TestRelay } from 'agent-relay-server/testing';
import { until } from '../support/until.ts';

/** A machine whose agents need no model: each turn asks a person one thing and does it when that is allowed. */
export interface AskingNode extends AsyncDisposable {
  /** What agents were allowed to do, and did. */
  readonly done: readonly string[];
  /** The conversations that its agents were to go on with. */
  readonly resumed: readonly string[];
  /** Agents may work in it and below. */
  readonly folder: string;
  /** Says something as the agent that was started last. */
  tell(event: LiveEvent): void;
}

/** `questions`: what the agents ask, by a word in the message that begins the turn. */
export async function startAskingNode(relay: TestRelay, questions: Readonly<Record<string, ApprovalQuestion>>): Promise<AskingNode> {
  const stateDir = await mkdtemp(join(tmpdir(), 'asking-node-'));
  const done: string[] = [];
  const started: SessionEvents[] = [];
  const resumed: string[] = [];
  const node = await runNode({
    url: new URL(relay.url),
    readToken: async () => relay.ownerToken,
    name: 'workshop',
    stateDir,
    allowedFolders: [stateDir],
    hooksFile: `${relay.databasePath}.hooks.yaml`,
    providers: [askingProvider(questions, { done, started, resumed })],
    log: createLogger('error', null),
    env: process.env,
    clock: { now: Date.now },
  });
  const nodes = relay.relay.handlers['nodes/list'];
  const asOwner = { principal: { type: 'owner', workspace: 'default' }, signal: new AbortController().signal } as const;
  await until('the machine', async () => (await nodes({}, asOwner)).data.some(({ status }) => status === 'online'));
  return {
    done,
    resumed,
    folder: stateDir,
    tell: (event) => started.at(-1)?.emit(event),
    [Symbol.asyncDispose]: async () => {
      await node.stop('the test is over');
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

interface Seen {
  readonly done: string[];
  readonly started: SessionEvents[];
  readonly resumed: string[];
}

function askingProvider(questions: Readonly<Record<string, ApprovalQuestion>>, { done, started, resumed }: Seen): Provider {
  return {
    id: 'asker',
    resumes: true,
    detect: async () => ({ available: true, version: '1', command: 'asker' }),
    start: async (options) => {
      if (options.resume !== undefined) resumed.push(options.resume);
      const session = startSession(options, questions, done);
      started.push(session.events);
      return session;
    },
    close: async () => {},
  };
}

function startSession({ cwd, model, resume }: StartOptions, questions: Readonly<Record<string, ApprovalQuestion>>, done: string[]) {
  const vendorSessionId = resume ?? randomUUID();
  const events = new SessionEvents({ cwd });
  events.emit({ type: 'session.started', vendorSessionId, cwd, version: '1' });
  events.emit({ type: 'session.status', status: 'idle' });
  let turns = 0;
  const turn = async (turnId: string, question: ApprovalQuestion) => {
    events.emit({ type: 'turn.started', turnId });
    events.emit({ type: 'session.status', status: 'busy' });
    const { outcome } = await events.approvals.ask({ ...question, turnId, cwd });
    if (outcome === 'allowed') done.push(question.title);
    events.emit({ type: 'text.completed', turnId, itemId: `${turnId}-text`, text: `${question.title}: ${outcome}` });
    events.emit({ type: 'turn.completed', turnId, outcome: 'finished' });
    events.emit({ type: 'session.status', status: 'idle' });
  };
  return {
    vendorSessionId,
    model: model ?? null,
    events,
    prompt: async ({ text, messageIds }) => {
      const word = Object.keys(questions).find((known) => text.includes(known));
      const question = word === undefined ? undefined : questions[word];
      if (!question) return;
      turns += 1;
      for (const messageId of messageIds) events.emit({ type: 'input.accepted', messageId, evidence: 'turn', state: 'seen' });
      void turn(`turn-${turns}`, question);
    },
    interrupt: async () => false,
    resolveApproval: async (approvalId, decision) => events.approvals.resolve(approvalId, decision),
    close: async () => {
      events.approvals.close();
      events.end({ reason: 'closed' });
    },
  } satisfies AgentSession;
}
