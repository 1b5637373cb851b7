import type { GuardRule } from 'agent-relay-protocol';
import { known } from '../known.ts';

const words: Readonly<Record<GuardRule, { readonly word: string; readonly meaning: string }>> = {
  hops: { word: 'too many answers', meaning: 'Agents have answered each other for long without a person' },
  pair_rate: { word: 'too fast', meaning: 'Two agents exchange more messages a minute than they may' },
  thread_rate: { word: 'thread too fast', meaning: 'Agents exchange more messages a minute in one thread than they may' },
  repeats: { word: 'the same again', meaning: 'An agent says the same in a row and is answered in between' },
  token_budget: { word: 'budget used up', meaning: 'The recipient has used the tokens it may use in an hour' },
};

/** The rule a message broke, and what it is for. */
export const ruleWords = (rule: string) => known(words, rule, (word) => ({ word, meaning: '' }));
