import type { ConversationEntry } from './model-request.ts';
import { callTool, drop, editFile, failWith, hang, type Model, type ModelStep, runCommand, say, searchWeb, think } from './steps.ts';

/**
 * A model that does what it is told in words. It looks for them anywhere in the newest user or peer text that has any (in that text's
 * last line that has any), so a message in a relay envelope works as well as a bare prompt:
 *
 *     say: TEXT · think: TEXT · slow N MS · hang [MS] · run command: CMD · edit file: PATH | TEXT · call NAME {json}
 *     search web: QUERY · error STATUS [CODE] · drop
 *
 * Steps are chained with ` && then `; what stands after a tool call is done when its result is there. `\n` in a text is a line end.
 * A conversation without words is answered with `Nothing to do.`, the end of a chain with `Done.`
 */
export function wordScript(): Model {
  return ({ conversation }) => {
    const instruction = conversation.findLastIndex((entry) => entry.kind === 'userText' && parseWords(entry.text).length > 0);
    const entry = conversation[instruction];
    if (entry?.kind !== 'userText') return say('Nothing to do.');
    const answers = groupByAnswer(parseWords(entry.text));
    return answers[countAnswers(conversation.slice(instruction + 1))] ?? say('Done.');
  };
}

/** The steps that a text asks for; empty when it has no words. */
export function parseWords(text: string): readonly ModelStep[] {
  const line = text.split('\n').findLast((candidate) => findStart(candidate) >= 0);
  return line === undefined ? [] : parseLine(line.slice(findStart(line)));
}

interface Word {
  /** Matches a step at the beginning of a text; texts run to the next ` && then ` or the end of the line. */
  readonly pattern: RegExp;
  step(groups: readonly string[]): ModelStep;
}

const rest = '(.*?)(?= && then |$)';
const end = '(?=\\s|$|[.,;])';
const words: readonly Word[] = [
  { pattern: new RegExp(`^say: ?${rest}`, 'u'), step: ([text = '']) => say(unescapeLineEnds(text)) },
  { pattern: new RegExp(`^think: ?${rest}`, 'u'), step: ([text = '']) => think(unescapeLineEnds(text)) },
  { pattern: new RegExp(`^slow (\\d+) (\\d+)${end}`, 'u'), step: ([count, delay]) => slow(Number(count), Number(delay)) },
  {
    pattern: new RegExp(`^hang(?: (\\d+)${end}|$)`, 'u'),
    step: ([duration]) => hang(duration === undefined ? undefined : Number(duration)),
  },
  { pattern: new RegExp(`^run command: ?${rest}`, 'u'), step: ([command = '']) => runCommand(command) },
  { pattern: new RegExp(`^search web: ?${rest}`, 'u'), step: ([query = '']) => searchWeb(query) },
  {
    pattern: new RegExp(`^edit file: ?(\\S+) \\| ?${rest}`, 'u'),
    step: ([path = '', text = '']) => editFile(path, unescapeLineEnds(text)),
  },
  { pattern: new RegExp(`^error (\\d{3})(?: ([a-z_]+))?${end}`, 'u'), step: ([status, code]) => failWith(Number(status), code) },
  { pattern: /^drop(?= && then |$)/u, step: () => drop() },
];

const starts =
  /(?<![\w"])(?:say: ?|think: ?|slow \d+ \d+|hang(?: \d+|$)|run command: ?|edit file: ?|search web: ?|error \d{3}|drop(?= && then |$)|call [\w.-]+ ?\{)/u;

const findStart = (line: string): number => line.search(starts);

function parseLine(line: string): readonly ModelStep[] {
  const steps: ModelStep[] = [];
  let remaining = line;
  while (remaining !== '') {
    const parsed = parseStep(remaining);
    if (parsed === undefined) throw new Error(`The word script does not understand "${remaining}".`);
    steps.push(parsed.step);
    const [, next] = /^\s*&& then (.*)$/u.exec(remaining.slice(parsed.length)) ?? [];
    remaining = next ?? '';
  }
  return steps;
}

function parseStep(text: string): { step: ModelStep; length: number } | undefined {
  const call = /^call ([\w.-]+) ?(?=\{)/u.exec(text);
  if (call !== null) {
    const [opening, name = ''] = call;
    const json = balancedObject(text.slice(opening.length));
    return { step: callTool(name, JSON.parse(json)), length: opening.length + json.length };
  }
  for (const { pattern, step } of words) {
    const match = pattern.exec(text);
    if (match !== null) return { step: step(match.slice(1)), length: match[0].length };
  }
  return undefined;
}

/** The JSON object at the beginning of a text: braces inside its strings do not count. */
function balancedObject(text: string): string {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isInString) {
      if (character === '\\') index += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{') depth += 1;
    else if (character === '}' && --depth === 0) return text.slice(0, index + 1);
  }
  return text; // JSON.parse says what is wrong with it
}

const unescapeLineEnds = (text: string): string => text.replaceAll('\\n', '\n');

const slow = (count: number, delayMs: number): ModelStep =>
  say(Array.from({ length: count }, (_, index) => `word${String(index + 1).padStart(3, '0')} `).join(''), { chunks: count, delayMs });

/** An answer ends with its tool call: the CLI asks again with the result. */
function groupByAnswer(steps: readonly ModelStep[]): readonly (readonly ModelStep[])[] {
  const answers: ModelStep[][] = [[]];
  for (const [index, step] of steps.entries()) {
    answers.at(-1)?.push(step);
    const isCall = step.kind === 'callTool' || step.kind === 'editFile' || step.kind === 'runCommand';
    if (isCall && index < steps.length - 1) answers.push([]);
  }
  return answers;
}

/** How many answers a model has given in a piece of conversation: unbroken runs of its own words and calls. */
function countAnswers(conversation: readonly ConversationEntry[]): number {
  const isOwn = (entry: ConversationEntry | undefined): boolean => entry?.kind === 'assistantText' || entry?.kind === 'toolCall';
  return conversation.filter((entry, index) => isOwn(entry) && !isOwn(conversation[index - 1])).length;
}
