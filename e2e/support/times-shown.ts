import type { FakeAnthropic } from 'agent-relay-testing';

/**
 * How often a model was shown each of these messages, in all conversations together: each request repeats what its conversation had before, so the
 * longest says it all. Titles and summaries of the CLI's own are conversations of their session, and shorter.
 */
export function timesShown(requests: FakeAnthropic['requests'], ids: readonly number[]): readonly number[] {
  const longest = new Map<string, string>();
  for (const { body } of requests) {
    // The standing instructions show what an envelope looks like.
    const text = JSON.stringify(body ?? '').replaceAll('[msg:42] from backend-agent: the text', '');
    const conversation = /session_id[^\w]+([\w-]{36})/u.exec(text)?.[1] ?? '';
    if (text.length > (longest.get(conversation)?.length ?? 0)) longest.set(conversation, text);
  }
  const all = [...longest.values()];
  return ids.map((id) => all.reduce((sum, text) => sum + text.split(`[msg:${id}] from `).length - 1, 0));
}
