import { isLongerThan } from './limits.ts';

/** What a name may be: at least one character, at most so many, of this pattern. */
export interface NameForm {
  readonly longest: number;
  readonly pattern: RegExp;
}

export const agentIdForm: NameForm = { longest: 128, pattern: /^(?!find$)[\p{L}\p{N}][\p{L}\p{N}._@+~-]*$/u };

export const groupNameForm: NameForm = {
  longest: 64,
  pattern: /^[^\s,:#\p{Cc}\p{Bidi_Control}][^\s,:\p{Cc}\p{Bidi_Control}]*$/u,
};

export const labelForm: NameForm = { longest: 128, pattern: /^(?!.*\p{Bidi_Control})\S(?:[^\p{Cc}\p{Zl}\p{Zp}]*\S)?$/u };

export const hasForm = (text: string, { longest, pattern }: NameForm): boolean =>
  text !== '' && !isLongerThan(text, longest) && pattern.test(text);
