/**
 * What a table has for a word. A relay of a later version says words that this page does not know: they are shown as they are, and break nothing.
 */
export function known<Entry>(table: Readonly<Record<string, Entry>>, word: string, otherwise: (word: string) => Entry): Entry {
  const entry = Object.hasOwn(table, word) ? table[word] : undefined;
  return entry ?? otherwise(word);
}

/** How a word looks that has no look of its own. */
export const plainLook = (word: string) => ({ mark: '?', tone: 'text-soft', word });
