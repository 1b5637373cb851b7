/** The ids of the messages whose envelopes begin in a text, in order. */
export function envelopeMessageIds(text: string): readonly number[] {
  return [...text.matchAll(/^\[msg:(\d{1,15})\] from /gmu)].map((match) => Number(match[1]));
}

/** A piece of what an agent was handed: a message of the relay, or words beside them. */
export type EnvelopePart =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'message';
      readonly id: number;
      readonly from: string;
      /** The person outside on whose behalf a channel wrote. */
      readonly person: string | null;
      readonly channel: string | null;
      readonly text: string;
    };

const beginnings = /^\[msg:(?<id>\d{1,15})\] from (?<from>[^\s():]+)(?: \((?<person>[^()\n]*)\))?(?: on #(?<channel>[^\s:]+))?: /gmu;
const closings = /\n\[end msg:(?<id>\d{1,15}) [^\]\n]*\]$/gmu;

/** Where the closing lines of each message are, the last one first. */
function closingsById(text: string): ReadonlyMap<string, RegExpExecArray[]> {
  const found = new Map<string, RegExpExecArray[]>();
  for (const closing of text.matchAll(closings)) {
    const { id = '' } = closing.groups ?? {};
    const places = found.get(id) ?? [];
    places.push(closing);
    found.set(id, places);
  }
  for (const places of found.values()) places.reverse();
  return found;
}

/** Takes apart what an agent was handed, as `formatEnvelope` made it, in order; an envelope that is not whole is text. */
export function readEnvelopes(text: string): readonly EnvelopePart[] {
  const parts: EnvelopePart[] = [];
  const ends = closingsById(text);
  let done = 0;
  const say = (between: string) => between.trim() !== '' && parts.push({ type: 'text', text: between.trim() });
  for (const { 0: beginning, index, groups = {} } of text.matchAll(beginnings)) {
    if (index < done) continue;
    const { id = '', from = '', person = null, channel = null } = groups;
    const bodyAt = index + beginning.length;
    const places = ends.get(id) ?? [];
    let end = places.pop();
    while (end !== undefined && end.index < bodyAt) end = places.pop();
    if (end === undefined) continue;
    say(text.slice(done, index));
    parts.push({ type: 'message', id: Number(id), from, person, channel, text: text.slice(bodyAt, end.index) });
    done = end.index + end[0].length;
  }
  say(text.slice(done));
  return parts;
}

/**
 * Whether what an agent has is what it is handed now, be it for the second time: each offer closes a message with another nonce, and the first prompt that
 * carried it may have begun with notices.
 */
export function carriesPrompt(had: string, prompt: string): boolean {
  const [before, same] = [withoutEnvelopeEnds(had), withoutEnvelopeEnds(prompt)];
  return before === same || (envelopeMessageIds(prompt).length > 0 && before.endsWith(`\n\n${same}`));
}

/** What an agent was handed, as a person reads it: without the closing lines, whose nonces are for the agent alone. */
export function withoutEnvelopeEnds(text: string): string {
  return text.replace(/\n\[end msg:\d{1,15} [^\]\n]*\]$/gmu, '');
}
