import { RecentMap } from 'agent-relay-wire';
import type { ToolReport } from '../acp/frames.ts';

/** One use of a tool in a turn. */
export interface TrackedUse {
  /** What it is called in the events. */
  readonly itemId: string;
  /** All that has been told of it. */
  report: ToolReport;
  isOver: boolean;
  /** The last question about it. */
  question?: ToolReport;
}

/** A question of the agent, and what it is judged by. */
export interface AskedUse {
  readonly call: TrackedUse;
  readonly isNew: boolean;
  /** What a person is shown. */
  readonly shown: ToolReport;
  /** What was told before under its id, of what is not over, where that says something else. */
  readonly before?: ToolReport;
  /** Each way to read the question: the strictest verdict counts. */
  readonly readings: readonly ToolReport[];
}

const remembered = 4096;

/** The uses of a turn by the ids that the agent gives them. An id may come again: some vendors' models number their calls anew in each answer. */
export class ToolUses {
  readonly #turnId: string;
  readonly #calls = new RecentMap<string, TrackedUse>(remembered);
  readonly #itemIds = new RecentMap<string, number>(remembered);

  constructor(turnId: string) {
    this.#turnId = turnId;
  }

  /** The newest use with this id. */
  find(toolCallId: string): TrackedUse | undefined {
    return this.#calls.get(toolCallId);
  }

  begin(report: ToolReport): TrackedUse {
    const call: TrackedUse = { itemId: this.#newItemId(report.toolCallId), report, isOver: false };
    this.#calls.set(report.toolCallId, call);
    return call;
  }

  /** A question under the id of what is over, or about something else than what is open under it, is about a use of its own. */
  asked(question: ToolReport): AskedUse {
    const earlier = this.find(question.toolCallId);
    if (!earlier || earlier.isOver) {
      const call = this.begin(question);
      call.question = question;
      return { call, isNew: true, shown: question, readings: [question] };
    }
    const before = earlier.report;
    if (saysNothing(question)) return { call: earlier, isNew: false, shown: before, readings: [before] };
    const isNew = isAnother(earlier, question);
    const call = isNew ? this.begin(question) : earlier;
    if (!isNew) call.report = merged(before, question);
    call.question = question;
    const readings = [question, strictlyMerged(before, question)];
    return { call, isNew, shown: question, ...(isSame(before, question) ? {} : { before }), readings };
  }

  /** Agents count their uses anew in each turn, and may call one what we call the second use of another. */
  #newItemId(toolCallId: string): string {
    const first = `${this.#turnId}-tool-${toolCallId}`;
    let number = (this.#itemIds.get(first) ?? 0) + 1;
    let itemId = number === 1 ? first : `${first}-${number}`;
    while (this.#itemIds.has(itemId)) {
      number += 1;
      itemId = `${first}-${number}`;
    }
    this.#itemIds.set(first, number);
    if (itemId !== first) this.#itemIds.set(itemId, 1);
    return itemId;
  }
}

/** What a later report does not say stays as it was. */
export function merged(earlier: ToolReport, later: ToolReport): ToolReport {
  const said = Object.fromEntries(
    Object.entries(later).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );
  return { ...earlier, ...said };
}

/** As both together: a use of no known kind where they differ in it, and of all files that either names. */
function strictlyMerged(earlier: ToolReport, later: ToolReport): ToolReport {
  const { kind, ...whole } = merged(earlier, later);
  const differs = earlier.kind !== undefined && earlier.kind !== kind;
  return {
    ...whole,
    ...(kind === undefined || differs ? {} : { kind }),
    locations: [...earlier.locations, ...later.locations],
    content: [...(earlier.content ?? []), ...(later.content ?? [])],
  };
}

const wordsOf = ({ name, title, kind, rawInput, content, locations }: ToolReport) => ({
  ...{ name, title, kind, rawInput },
  ...(content && content.length > 0 ? { content } : {}),
  ...(locations.length > 0 ? { locations } : {}),
});

const saysNothing = (report: ToolReport): boolean => Object.values(wordsOf(report)).every((value) => value === undefined);

const isSame = (a: ToolReport, b: ToolReport): boolean => JSON.stringify(wordsOf(a)) === JSON.stringify(wordsOf(b));

function isAnother({ report, question: asked }: TrackedUse, question: ToolReport): boolean {
  if (asked && !isSame(asked, question)) return true;
  if (report.kind !== undefined && question.kind !== undefined && report.kind !== question.kind) return true;
  const places = new Set(report.locations.map(({ path }) => path));
  return places.size > 0 && question.locations.length > 0 && !question.locations.some(({ path }) => places.has(path));
}
