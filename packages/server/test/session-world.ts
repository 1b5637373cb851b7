import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type MethodParams,
  type MethodResult,
  type NodeCommandName,
  PROTOCOL_VERSION,
  type Principal,
  RelayError,
  type Session,
} from 'agent-relay-protocol';
import { vi } from 'vitest';
import type { Clock } from '../src/clock.ts';
import { silentLogger } from '../src/logger.ts';
import type { CallContext, NodeLink } from '../src/relay/contract/relay-contract.ts';
import { defaultSettings } from '../src/relay/contract/relay-settings.ts';
import { createRelay, type StartedRelay } from '../src/relay/relay.ts';
import type { RelayCore, SessionsPart } from '../src/relay/relay-core.ts';
import { createSessions } from '../src/relay/sessions/sessions.ts';
import { SqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import { askingStore } from './support/asking-store.ts';

export const workspace = 'default';
/** A credential of the owner, of a form of its own. */
export const ownerToken = 'a-word-that-the-owner-chose';
export const owner: Principal = { type: 'owner', workspace };
export const as = (principal: Principal): CallContext => ({ principal, signal: new AbortController().signal });

/** The far end of a node's link: answers commands as the test says and remembers them. */
export class FarNode implements NodeLink {
  readonly commands: { readonly name: NodeCommandName; readonly params: unknown }[] = [];
  closedWith: string | null = null;
  onStart: (params: MethodParams<'session/start'>) => Promise<MethodResult<'session/start'>> = async ({ cwd }) => ({
    cwd: cwd ?? '/fresh',
    vendorSessionId: 'v',
    model: 'm',
  });

  onApproval: (params: MethodParams<'session/resolve-approval'>) => Promise<MethodResult<'session/resolve-approval'>> = async () => ({
    resolved: true,
  });

  onClose: (params: MethodParams<'session/close'>) => Promise<MethodResult<'session/close'>> = async () => ({});

  onDialled: (params: MethodParams<'session/dialled'>) => Promise<MethodResult<'session/dialled'>> = async () => ({});

  /** A node of an earlier version does not know the question. */
  onDetect: (params: MethodParams<'provider/detect'>) => Promise<MethodResult<'provider/detect'>> = async () => {
    throw new RelayError('unknown_method', 'A node has no method provider/detect');
  };

  async command<Name extends NodeCommandName>(name: Name, params: MethodParams<Name>): Promise<MethodResult<Name>> {
    this.commands.push({ name, params });
    const answers: { [Command in NodeCommandName]: () => Promise<MethodResult<Command>> } = {
      'provider/detect': () => this.onDetect(params as MethodParams<'provider/detect'>),
      'session/start': () => this.onStart(params as MethodParams<'session/start'>),
      'session/dialled': () => this.onDialled(params as MethodParams<'session/dialled'>),
      'session/interrupt': async () => ({ interrupted: true }),
      'session/resolve-approval': () => this.onApproval(params as MethodParams<'session/resolve-approval'>),
      'session/close': () => this.onClose(params as MethodParams<'session/close'>),
      'hooks/describe': async () => ({ hooks: [], file: null, fault: null, recent: [] }),
      'hooks/test': () => Promise.reject(new RelayError('not_found', 'This machine has no such hook')),
    };
    // The table has exactly the result of each name.
    return (await answers[name]()) as MethodResult<Name>;
  }

  close(code: 'stale_session' | 'unauthorized'): void {
    this.closedWith = code;
  }
}

class HandClock implements Clock {
  at: number;
  readonly #tasks = new Set<{ readonly at: number; readonly run: () => void }>();

  constructor(at: number) {
    this.at = at;
  }

  now(): number {
    return this.at;
  }

  /** Nothing happens by itself: the test calls what would, or `pass`. */
  schedule(run: () => void, delayMs: number): () => void {
    const task = { at: this.at + delayMs, run };
    this.#tasks.add(task);
    return () => this.#tasks.delete(task);
  }

  /** So much time goes by: what was scheduled begins. */
  pass(ms: number): void {
    this.at += ms;
    for (const task of [...this.#tasks]) {
      if (task.at > this.at || !this.#tasks.delete(task)) continue;
      task.run();
    }
  }
}

/** A whole relay over a real database, without transports, with a clock that the test turns. */
export class SessionWorld {
  readonly clock: HandClock;
  readonly folder: string;
  readonly store: SqliteStore;
  readonly relay: StartedRelay;
  readonly sessions: SessionsPart;

  private constructor(folder: string, clock: HandClock, store: SqliteStore, { relay, sessions }: Pick<SessionWorld, 'relay' | 'sessions'>) {
    this.folder = folder;
    this.clock = clock;
    this.store = store;
    this.relay = relay;
    this.sessions = sessions;
  }

  static async open(folder = mkdtempSync(join(tmpdir(), 'sessions-')), at = 1_000_000): Promise<SessionWorld> {
    const store = await SqliteStore.open({ path: join(folder, 'relay.db') });
    const clock = new HandClock(at);
    const log = silentLogger;
    const made: SessionsPart[] = [];
    const makeSessions = (core: RelayCore) => {
      const sessions = createSessions(core, { nodeGraceMs: 60_000 });
      made.push(sessions);
      return sessions;
    };
    const relay = await createRelay({
      store: askingStore(store),
      clock,
      log,
      settings: defaultSettings,
      workspace: 'default',
      ownerTokens: [ownerToken],
      createSessions: makeSessions,
    });
    const [sessions] = made;
    if (!sessions) throw new Error('The relay has made no sessions');
    return new SessionWorld(folder, clock, store, { relay, sessions });
  }

  /** A relay that starts anew on the same database, at the same time. */
  async restart(): Promise<SessionWorld> {
    await this.relay.close();
    return SessionWorld.open(this.folder, this.clock.at);
  }

  /** The relay that starts after this one was killed, when the first such write was committed and nothing after it. */
  async killedAfter<Port extends object>(port: Port, write: keyof Port & string, act: () => unknown): Promise<SessionWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
    let isKilled = false;
    const operations = port as Record<string, (...given: unknown[]) => Promise<unknown>>; // a port has nothing else
    const original = operations[write];
    const spy = vi.spyOn(operations, write).mockImplementation(async (...given) => {
      const done = await original?.apply(port, given);
      if (!isKilled) for (const name of ['relay.db', 'relay.db-wal']) copyFileSync(join(this.folder, name), join(folder, name));
      isKilled = true;
      return done;
    });
    await act();
    spy.mockRestore();
    return SessionWorld.open(folder, this.clock.at);
  }

  async attach(link: FarNode, sessions: MethodParams<'nodes/attach'>['sessions'] = [], principal: Principal = owner, name = 'laptop') {
    const providers = [
      { id: 'claude', available: true, version: '1', reason: null },
      { id: 'codex', available: false, version: null, reason: 'Codex is not installed: run npm install -g @openai/codex.' },
    ];
    const params = { name, version: '1', protocol: PROTOCOL_VERSION, providers, sessions };
    return this.relay.nodeHandlers['nodes/attach'](params, { ...as(principal), link });
  }

  start(name: string, principal: Principal = owner, over: object = {}): Promise<Session> {
    return Promise.resolve(this.relay.handlers['sessions/start']({ name, provider: 'claude', ...over }, as(principal)));
  }

  agent(id: string) {
    const agent = this.store.agents.index.in(workspace).find(id)?.agent;
    if (!agent) throw new RelayError('not_found', id);
    return agent;
  }

  async eventTypes() {
    const { entries } = await this.store.log.read(0, 10_000);
    return entries.flatMap((entry) => entry.events().map(({ type }) => type));
  }

  async close(): Promise<void> {
    await this.relay.close();
    rmSync(this.folder, { recursive: true });
  }
}

export const offered = ({ sessionId, agentId, instanceId, epoch }: Session, lastSeq = 0) => ({
  sessionId,
  agentId,
  instanceId,
  epoch,
  lastSeq,
});
