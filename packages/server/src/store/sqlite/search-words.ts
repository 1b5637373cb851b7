import type { ActivityEntry } from 'agent-relay-protocol';
import type { StoredMessage } from '../../domain/change.ts';
import type { SearchTerm } from '../../domain/search-text.ts';
import { eventText, filesOf, messageText, toolOf, wordsIn } from '../../domain/search-text.ts';
import type { SearchQuery } from '../search-store.ts';

const DAY_MS = 86_400_000;
/** A longer stretch of time is not narrowed by its days: what is found is looked at anyway. */
const MAX_DAYS = 400;
/** So many words of a kind the index is asked for at once: how long one look takes grows with them. */
const ASKED_WORDS = 8;

/** What one row of the index has. */
export interface IndexedWords {
  readonly marks: string;
  readonly files: string;
  readonly text: string;
}

type Mark = 'workspace' | 'agent' | 'session' | 'type' | 'tool' | 'day';

/** One word that no tokenizer takes apart and no stemmer shortens. */
const mark = (kind: Mark, value: string): string => `${kind}0${Buffer.from(value).toString('hex')}x`;

const dayOf = (at: number): string => String(Math.floor(at / DAY_MS));

export function wordsOfMessage({ workspace, message }: StoredMessage): IndexedWords {
  const { from, to, kind, createdAt } = message;
  const marks = [
    mark('workspace', workspace),
    mark('agent', from),
    ...(to.startsWith('id:') ? [mark('agent', to.slice(3))] : []),
    mark('type', kind),
    mark('day', dayOf(createdAt)),
  ];
  return { marks: marks.join(' '), files: '', text: messageText(message) };
}

export function wordsOfEntry(
  workspace: string,
  { agentId, sessionId, at, event }: Omit<ActivityEntry, 'id' | 'seq' | 'late'>,
): IndexedWords {
  const tool = toolOf(event);
  const marks = [
    mark('workspace', workspace),
    mark('agent', agentId),
    mark('session', sessionId),
    mark('type', event.type),
    ...(tool === null ? [] : [mark('tool', tool)]),
    mark('day', dayOf(at)),
  ];
  const files = filesOf(event).map(({ path }) => path);
  return { marks: marks.join(' '), files: files.join('\n'), text: eventText(event) };
}

/**
 * What the index is asked for: whatever may be found, and more. Words that stand together are looked for one by one: what it takes to find them
 * together grows with the texts, and is looked at text by text (`exactOf`), as are those of many words that are no longer than others. Where nothing else is asked for the workspace is: an index has to be asked
 * for something.
 */
export function expressionOf(query: SearchQuery, isOfWorkspace: boolean): string {
  const marks = [
    ...(query.agent === undefined ? [] : [mark('agent', query.agent)]),
    ...(query.session === undefined ? [] : [mark('session', query.session)]),
    ...(query.type === undefined ? [] : [mark('type', query.type)]),
    ...(query.tool === undefined ? [] : [mark('tool', query.tool)]),
  ];
  const excluded = query.terms.filter(({ isExcluded, words }) => isExcluded && words.length === 1);
  const days = daysOf(query);
  const narrowed = [
    ...marks.map((word) => `marks : ${word}`),
    ...(days === null ? [] : [`marks : (${days.map((day) => mark('day', day)).join(' OR ')})`]),
    ...longestOf(wordsIn(query.file ?? '')).map((word) => `files : ${quoted(word)}`),
    ...askedOf(query.terms).map((word) => `text : ${quoted(word)}`),
  ];
  const ofWorkspace = isOfWorkspace || narrowed.length === 0 ? [`marks : ${mark('workspace', query.workspace)}`] : [];
  const wanted = [...ofWorkspace, ...narrowed].join(' AND ');
  return excluded.length === 0 ? wanted : `(${wanted}) NOT text : (${excluded.map(({ words }) => phrase(words)).join(' OR ')})`;
}

/** What a snippet shows of what was looked for; null when nothing was. */
export function highlightOf(terms: readonly SearchTerm[]): string | null {
  const included = terms.filter(({ isExcluded }) => !isExcluded);
  return included.length === 0 ? null : included.map(({ words }) => phrase(words)).join(' OR ');
}

function daysOf({ sinceAt, untilAt }: SearchQuery): readonly string[] | null {
  if (sinceAt === undefined) return null;
  const first = Math.floor(sinceAt / DAY_MS);
  const last = Math.floor(untilAt / DAY_MS);
  if (last - first >= MAX_DAYS) return null;
  return last < first ? ['never'] : Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
}

/** What a text that the index found must have besides, and must not have; null where that is nothing. */
export interface Exact {
  readonly included: string | null;
  readonly excluded: string | null;
  readonly files: string | null;
}

export function exactOf({ terms, file }: Pick<SearchQuery, 'terms' | 'file'>): Exact {
  const asked = new Set(askedOf(terms));
  const included = terms.filter(
    ({ words, isExcluded }) => !isExcluded && (words.length > 1 || words.some((word) => !asked.has(folded(word)))),
  );
  const excluded = terms.filter(({ words, isExcluded }) => isExcluded && words.length > 1);
  const names = wordsIn(file ?? '');
  return { included: joined(included, 'AND'), excluded: joined(excluded, 'OR'), files: names.length > 1 ? phrase(names) : null };
}

const joined = (terms: readonly SearchTerm[], by: 'AND' | 'OR'): string | null =>
  terms.length === 0 ? null : terms.map(({ words }) => phrase(words)).join(` ${by} `);

/** Of what a text must have, what the index is asked for. */
const askedOf = (terms: readonly SearchTerm[]): readonly string[] =>
  longestOf(terms.filter(({ isExcluded }) => !isExcluded).flatMap(({ words }) => words));

/** The longer a word, the fewer texts have it, as a rule. */
const longestOf = (words: readonly string[]): readonly string[] =>
  [...new Set(words.map(folded))].sort((one, other) => other.length - one.length).slice(0, ASKED_WORDS);

/** One word to the index. */
const folded = (word: string): string => word.toLowerCase();

const phrase = (words: readonly string[]): string => quoted(words.join(' '));
/** A word has no quote in it. */
const quoted = (words: string): string => `"${words}"`;
