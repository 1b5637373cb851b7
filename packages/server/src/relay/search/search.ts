import {
  type ActivityEntry,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type RouteOutput,
  type SearchHit,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { watchedIn } from '../../domain/act-as.ts';
import { isApprovalEvent, maySeeApprovals } from '../../domain/approval.ts';
import { filesOf, readSearch, type SearchTerm, searchLimits, toolOf, wordsIn } from '../../domain/search-text.ts';
import { mayWatch } from '../../domain/spawn-rules.ts';
import type { AgentIndex } from '../../store/agent-index.ts';
import type { Found, SearchPosition, SearchStore } from '../../store/search-store.ts';
import type { Readers } from '../access/readers.ts';
import { assertNothingOf } from '../access/registered.ts';
import type { CallContext } from '../contract/relay-contract.ts';
import type { SearchIndexer } from './search-indexer.ts';

export interface SearchDeps {
  readonly store: {
    readonly log: { readonly head: number };
    readonly search: SearchStore;
    readonly agents: { readonly index: AgentIndex };
  };
  readonly clock: Clock;
  readonly readers: Readers;
  readonly indexer: Pick<SearchIndexer, 'catchUp'>;
}

/** A machine's clock may go before ours. */
const DAY_MS = 86_400_000;
const DEFAULT_HITS = 50;
const MAX_HITS = 200;
/** Above every number. */
const LAST = 999_999_999_999_999;
const START: SearchPosition = { message: LAST, entry: LAST };

/** Finds what was said and done; what was written before somebody asks is found, but for what the index is far behind with. */
export function searchHandlers({ store, clock, readers, indexer }: SearchDeps) {
  return {
    'search/find': async (input: RouteInput<'search/find'>, { principal, signal }: CallContext): Promise<RouteOutput<'search/find'>> => {
      const { text = '', in: only, file, before, limit = DEFAULT_HITS, ...narrowed } = input;
      const terms = readSearch(text);
      if (text !== '' && terms.length === 0) throw invalid('text', 'Say a word to look for: this has no letter and no digit');
      assertFew(terms);
      if (file !== undefined && wordsIn(file).length === 0) throw invalid('file', 'Say a name to look for');
      const cursor = store.log.head;
      const behind = await indexer.catchUp();
      const { items, next } = await store.search.find({
        workspace: principal.workspace,
        caller: principalName(principal),
        terms,
        messages: only !== 'activity',
        activity: only !== 'messages',
        agent: narrowed.agent,
        session: narrowed.session,
        type: narrowed.type,
        tool: narrowed.tool,
        file,
        sinceAt: narrowed.sinceAt,
        untilAt: narrowed.untilAt ?? clock.now() + DAY_MS,
        before: before === undefined ? START : positionOf(before),
        limit: Math.min(limit, MAX_HITS),
        reading: readers.of(principal).reading,
        signal,
        isShown: shownTo(principal, store.agents.index),
      });
      if (before === undefined && narrowed.agent !== undefined)
        assertNothingOf(store.agents.index.in(principal.workspace), narrowed.agent, items);
      return { data: items.map(hitOf), cursor, behind, ...(next === null ? {} : { nextCursor: `${next.message}-${next.entry}` }) };
    },
  };
}

/** As of the activity of each agent: only who may watch it finds it, and what it asks of people only who may see that. */
function shownTo(principal: Principal, index: AgentIndex): (entry: ActivityEntry) => boolean {
  const known = new Map<string, { readonly watches: boolean; readonly seesApprovals: boolean }>();
  return ({ agentId, event }) => {
    let rights = known.get(agentId);
    if (!rights) {
      const watched = watchedIn(index.in(principal.workspace), agentId);
      rights = { watches: mayWatch(principal, watched), seesApprovals: maySeeApprovals(principal, watched) };
      known.set(agentId, rights);
    }
    return rights.watches && (rights.seesApprovals || !isApprovalEvent(event));
  };
}

function hitOf(found: Found): SearchHit {
  const { snippet } = found;
  const shown = snippet.map((piece) => ({ ...piece }));
  if ('stored' in found) {
    const { id, from, to, channel, threadId, createdAt } = found.stored.message;
    return { in: 'messages', id, from, to, channel, threadId, at: createdAt, snippet: shown };
  }
  const { id, agentId, sessionId, at, event } = found.entry;
  const files = filesOf(event).map((file) => ({ ...file }));
  return { in: 'activity', id, agentId, sessionId, type: event.type, tool: toolOf(event), files, at, snippet: shown };
}

/** The route table says what it is made of. */
function positionOf(cursor: string): SearchPosition {
  const [message = 0, entry = 0] = cursor.split('-').map(Number);
  return { message, entry };
}

function assertFew(terms: readonly SearchTerm[]): void {
  const { terms: most, words } = searchLimits;
  if (terms.length > most) throw invalid('text', `At most ${most} words and phrases are looked for at once`);
  if (terms.some((term) => term.words.length > words)) throw invalid('text', `At most ${words} words are looked for together`);
}

const invalid = (path: string, message: string): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
