import { withoutUnseen } from '../plain-text.ts';
import type { ChildHandle, ProcessExit } from './spawn-process.ts';

const mostLines = 5;
const mostCharacters = 1_000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what colours begin with
const colours = /\u001b\[[0-9;]*m/gu;

/** What a program printed, without the colours that it has for terminals. */
export const withoutColours = (printed: string): string => printed.replaceAll(colours, '');

/** What was said longer before the end has not to do with it. */
const saidAtTheEndMs = 30_000;

/**
 * The end of what a process wrote to stderr, for people: at most five lines and 1,000 characters, without colours. Empty when it said nothing, or
 * nothing for long before it ended.
 */
export function lastWords({ stderrTail, stderrQuietMs }: Pick<ChildHandle, 'stderrTail' | 'stderrQuietMs'>): string {
  if (stderrQuietMs > saidAtTheEndMs) return '';
  const lines = withoutUnseen(withoutColours(stderrTail)).trim().split('\n');
  return lines.slice(-mostLines).join('\n').slice(-mostCharacters);
}

/** How a process ended, as the rest of a sentence that begins with its name. */
export const howItEnded = ({ code, signal }: ProcessExit): string =>
  signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
