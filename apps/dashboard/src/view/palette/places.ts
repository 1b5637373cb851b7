import type { Agent } from 'agent-relay-client';
import type { SavedView } from '../saved-views/saved-views.ts';

/** Somewhere to go. */
export interface PaletteEntry {
  readonly key: string;
  readonly word: string;
  readonly hint: string;
  readonly path: string;
}

const pages: readonly (readonly [path: string, word: string])[] = [
  ['/', 'Overview'],
  ['/messages', 'Messages'],
  ['/approvals', 'Approvals'],
  ['/rules', 'Standing rules'],
  ['/holds', 'Held messages'],
  ['/tasks', 'Tasks'],
  ['/tasks?view=board', 'Task board'],
  ['/pairs', 'Pairs'],
  ['/channels', 'Channels'],
  ['/callbacks', 'Callbacks'],
  ['/fleet', 'Fleet'],
  ['/reservations', 'Reserved files'],
  ['/usage', 'Usage'],
  ['/search', 'Search'],
  ['/events', 'Events'],
  ['/graph', 'Who talks to whom'],
  ['/tokens', 'Tokens'],
  ['/audit', 'Audit: who did what'],
  ['/hooks', 'Hooks'],
  ['/settings', 'Settings'],
];

const SHOWN = 12;

/** Where words may lead: to saved views, pages, agents, what has this number, and to the tasks that say so. */
export function placesFor(
  words: string,
  agents: readonly Pick<Agent, 'id' | 'label'>[],
  views: readonly SavedView[] = [],
): readonly PaletteEntry[] {
  const wanted = words.trim().toLowerCase();
  const places = [
    ...views.map(({ name, path }): PaletteEntry => ({ key: `view/${path}`, word: name, hint: 'saved view', path })),
    ...pages.map(([path, word]): PaletteEntry => ({ key: path, word, hint: 'page', path })),
    ...agents.map(
      ({ id, label }): PaletteEntry => ({
        key: `agent/${id}`,
        word: id,
        hint: label ?? 'agent',
        path: `/agents/${encodeURIComponent(id)}`,
      }),
    ),
  ].filter(({ word, hint }) => wanted === '' || `${word}\n${hint}`.toLowerCase().includes(wanted));
  const begins = ({ word }: PaletteEntry) => Number(word.toLowerCase().startsWith(wanted));
  const found = places.sort((one, other) => begins(other) - begins(one)).slice(0, SHOWN);
  return wanted === '' ? found : [...found, ...byNumber(wanted), ...searchFor(words.trim())];
}

const byNumber = (wanted: string): readonly PaletteEntry[] =>
  /^[1-9]\d{0,14}$/u.test(wanted)
    ? [
        { key: 'message', word: `Message ${wanted}`, hint: 'number', path: `/messages/${wanted}` },
        { key: 'task', word: `Task ${wanted}`, hint: 'number', path: `/tasks/${wanted}` },
      ]
    : [];

const searchFor = (words: string): readonly PaletteEntry[] => [
  { key: 'search', word: `Search for “${words}”`, hint: 'search', path: `/search?text=${encodeURIComponent(words)}` },
  { key: 'find', word: `Tasks that say “${words}”`, hint: 'search', path: `/tasks?status=all&find=${encodeURIComponent(words)}` },
];
