import type { NodeTerms } from 'agent-relay-protocol';
import { known } from '../known.ts';
import { approvalModeWords, modeWords } from '../spawn/spawn-words.ts';

const spawnerWords = { owner: 'people', 'own-agents': 'its own agents', 'other-agents': 'agents of other machines' } as const;

const and = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

const either = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

const said = (words: Readonly<Record<string, string>>, names: readonly string[]): readonly string[] =>
  names.map((name) => known(words, name, (word) => word));

/** What the owner of a machine allows there, a sentence for each thing that is limited. */
export function saysTerms({ labels = [], capacity, modes, approvals, spawners, elsewhere }: NodeTerms): readonly string[] {
  return [
    ...(labels.length === 0 ? [] : [`Placed by ${and(labels)}`]),
    ...(capacity === undefined ? [] : [capacity === 1 ? 'One agent at a time' : `At most ${capacity} agents at once`]),
    ...(modes === undefined ? [] : [modes.length === 0 ? 'No agent may work here' : `An agent may ${either(said(modeWords, modes))}`]),
    ...(approvals === undefined ? [] : [`When a message comes ${either(said(approvalModeWords, approvals)) || 'none is taken'}`]),
    ...(spawners === undefined ? [] : [`Started by ${either(said(spawnerWords, spawners)) || 'nobody'}`]),
    ...(elsewhere === undefined ? [] : [elsewhere ? 'Its agents may start others elsewhere' : 'Its agents start none elsewhere']),
  ];
}
