import { mkdtempSync, rmSync } from 'node:fs';
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
import { silentLogger } from '../src/logger.ts';
import type { CallContext, NodeLink } from '../src/relay/relay-contract.ts';
import { defaultSettings, type SessionsPart } from '../src/relay/relay-core.ts';
import { createSessions } from '../src/relay/sessions.ts';
import { Tokens } from '../src/relay/tokens.ts';
import { SqliteStore } from '../src/store/sqlite/sqlite-store.ts';

export const workspace = 'default';
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

  async command<Name extends NodeCommandName>(name: Name, params: MethodParams<Name>): Promise<MethodResult<Name>> {
    this.commands.push({ name, params });
    const answers: { [Command in NodeCommandName]: () => Promise<MethodResult<Command>> } = {
      'session/start': () => this.onStart(params as MethodParams<'session/start'>),
      'session/interrupt': async () => ({ interrupted: true }),
      'session/close': async () => ({}),
    };
    // The table has exactly the result of each name.
    return (await answers[name]()) as MethodResult<Name>;
  }

  close(code: 'stale_session' | 'unauthorized'): void {
    this.closedWith = code;
  }
}

/** Sessions over a real database, with a clock that the test turns. */
export class SessionWorld {
  readonly clock = { at: 1_000_000, now: () => this.clock.at, schedule: () => () => {} };
  readonly folder: string;
  readonly store: SqliteStore;
  readonly tokens: Tokens;
  sessions: SessionsPart;

  private constructor(folder: string, store: SqliteStore) {
    this.folder = folder;
    this.store = store;
    this.tokens = new Tokens({ store, clock: this.clock });
    this.sessions = this.restart();
  }

  static async open(): Promise<SessionWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
    return new SessionWorld(folder, await SqliteStore.open({ path: join(folder, 'relay.db') }));
  }

  /** What a relay that starts anew on the same database knows. */
  restart(): SessionsPart {
    const { store, clock, tokens } = this;
    this.sessions = createSessions({ store, clock, tokens, log: silentLogger, settings: defaultSettings }, { nodeGraceMs: 60_000 });
    return this.sessions;
  }

  async attach(link: FarNode, sessions: MethodParams<'nodes/attach'>['sessions'] = [], principal: Principal = owner, name = 'laptop') {
    const providers = [
      { id: 'claude', available: true, version: '1', reason: null },
      { id: 'codex', available: false, version: null, reason: 'Codex is not installed: run npm install -g @openai/codex.' },
    ];
    const params = { name, version: '1', protocol: PROTOCOL_VERSION, providers, sessions };
    return this.sessions.nodeHandlers['nodes/attach'](params, { ...as(principal), link });
  }

  start(name: string, principal: Principal = owner, over: object = {}): Promise<Session> {
    return Promise.resolve(this.sessions.handlers['sessions/start']({ name, provider: 'claude', ...over }, as(principal)));
  }

  agent(id: string) {
    const agent = this.store.agents.index.find(workspace, id)?.agent;
    if (!agent) throw new RelayError('not_found', id);
    return agent;
  }

  async events(after = 0) {
    return (await this.store.log.read(after, 10_000)).entries.flatMap((entry) => entry.events());
  }

  async close(): Promise<void> {
    await this.store.close();
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
