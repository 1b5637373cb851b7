import { join, resolve } from 'node:path';
import { type ApprovalQuestion, type ApprovalVerdict, type LiveEvent, pathInside, type SessionEvents } from 'agent-relay-provider';
import { judgeTool, type SessionRights, type ToolUse, type ToolVerdict } from 'agent-relay-provider/kit';
import type { PermissionOutcome, PermissionQuestion, ReadFileRequest, WriteFileRequest } from '../acp/frames.ts';
import { type AgentFile, assertAbsolute, readAgentFile, refused, writeAgentFile } from './agent-files.ts';
import { allowing, cancelled, declining, offered, offersAllowing, selected } from './permission-options.ts';
import type { AskedUse } from './tool-uses.ts';
import { pathsOf, questionInput, toolKind, toolTitle, toolUse } from './tool-words.ts';
import type { AcpTranslator } from './translator.ts';

export interface AcpToolGateOptions {
  readonly rights: SessionRights;
  /** The session is in a sandbox: nor do we, who are not, open for it what lies outside its folder. */
  readonly isConfined: boolean;
  readonly relayServers: readonly string[];
  readonly translator: AcpTranslator;
  readonly events: SessionEvents;
}

/** The running turn, as far as what it may do is concerned. */
export interface GatedTurn {
  readonly turnId: string;
  /** Aborts when the turn is stopped: then nothing is asked for it any more. */
  readonly signal: AbortSignal;
}

/** What a use came to, and which of the offered options a person chose. */
type Decided = Pick<ApprovalVerdict, 'outcome' | 'optionId'> & { readonly reserved?: string };

/** Answers what an agent asks about tools and files, by the mode of the session, by what began the running turn, and by what a person says. */
export class AcpToolGate {
  readonly #options: AcpToolGateOptions;
  /** Files that the running turn was allowed to change, and has not changed yet through us. */
  readonly #allowed = new Set<string>();

  constructor(options: AcpToolGateOptions) {
    this.#options = options;
  }

  turnEnded(): void {
    this.#allowed.clear();
  }

  /** The agent's own option of the right kind; `cancelled` when there is none, or the turn is being stopped. */
  async permission(request: PermissionQuestion, turn: GatedTurn | undefined, signal: AbortSignal): Promise<PermissionOutcome> {
    if (!turn || turn.signal.aborted) return cancelled;
    const { translator, relayServers } = this.#options;
    const told = translator.asked(request.toolCall);
    if (!told) return cancelled;
    const { asked, events } = told;
    this.#emit(events);
    const use = toolUse(asked.shown, relayServers);
    const allow = allowing(request.options, this.#options.rights);
    const options = offered(request.options, use, this.#options.rights);
    const judged = strictest(asked.readings.map((reading) => this.#judge(toolUse(reading, relayServers))));
    const isPossible = judged.outcome === 'ask' ? offersAllowing(options) : judged.outcome === 'refuse' || allow !== null;
    const question = { ...this.#question(asked, use, turn), options };
    const verdict = await this.#decide(isPossible ? judged : noWayToAllowOnce(use), question, AbortSignal.any([turn.signal, signal]));
    if (verdict.outcome === 'cancelled') return cancelled;
    if (verdict.outcome === 'allowed') {
      for (const path of use.kind === 'edit' ? pathsOf(asked.shown) : []) this.#allowed.add(this.#absolute(path));
    } else this.#emit(translator.declined(asked.call));
    if (verdict.optionId !== undefined) return selected(verdict.optionId);
    return verdict.outcome === 'allowed' && allow !== null ? allow : declining(request.options);
  }

  /** @throws RequestError when the session may not read it. */
  async read({ path, line = 1, limit }: ReadFileRequest): Promise<string> {
    const { mode, cwd } = this.#options.rights;
    assertAbsolute(path);
    if (mode === 'safe') throw refused('This session is in safe mode: it reads no files.');
    const file = this.#place(path);
    if (file === null) throw refused(`Files are read inside ${cwd} only; ${path} is outside.`);
    const text = await readAgentFile(file, cwd);
    if (line === 1 && limit === undefined) return text;
    return text
      .split('\n')
      .slice(line - 1, limit === undefined ? undefined : line - 1 + limit)
      .join('\n');
  }

  /** @throws RequestError when the session, or the person who was asked, does not allow it. */
  async write({ path, content }: WriteFileRequest, turn: GatedTurn | undefined, signal: AbortSignal): Promise<void> {
    assertAbsolute(path);
    if (!turn || turn.signal.aborted) throw refused('No turn is running that could change a file.');
    const { cwd } = this.#options.rights;
    const file = this.#place(path);
    const verdict = file === null ? outside(path, cwd) : this.#judge(writing(file, cwd));
    const wasAsked = this.#allowed.delete(this.#absolute(path));
    const question: ApprovalQuestion = {
      turnId: turn.turnId,
      kind: 'edit',
      title: `Write ${path}`,
      cwd,
      input: { path, content },
    };
    const settled: ToolVerdict = verdict.outcome === 'ask' && wasAsked ? { outcome: 'allow' } : verdict;
    const { outcome, reserved } = await this.#decide(settled, question, AbortSignal.any([turn.signal, signal]));
    if (outcome !== 'allowed' || file === null)
      throw refused(reserved ?? (verdict.outcome === 'refuse' ? verdict.message : 'This was not allowed.'));
    const isNew = await writeAgentFile(file, cwd, content);
    this.#emit([{ type: 'file.changed', turnId: turn.turnId, changes: [{ path, change: isNew ? 'added' : 'updated' }] }]);
  }

  #judge(use: ToolUse): ToolVerdict {
    const { rights, translator } = this.#options;
    // The protocol has no way to bring an agent the words that it asks for.
    const held = use.kind === 'question' ? ({ ...rights, approval: 'open', ask: false } as const) : rights;
    return judgeTool(use, held, translator.isMailTurn);
  }

  async #decide(verdict: ToolVerdict, question: ApprovalQuestion, signal: AbortSignal): Promise<Decided> {
    if (verdict.outcome === 'allow') {
      const { kind, cwd, input } = question;
      const reserved = await this.#options.rights.reservedAgainst?.({ kind, cwd, input });
      if (!reserved) return { outcome: 'allowed' };
      this.#tellRefusal(question, reserved);
      return { outcome: 'denied', reserved };
    }
    if (verdict.outcome === 'refuse') {
      this.#tellRefusal(question, verdict.message);
      return { outcome: 'denied' };
    }
    const { events } = this.#options;
    const asked = events.approvals.ask(question, signal);
    events.emit({ type: 'session.status', status: 'waiting' });
    const decided = await asked;
    if (decided.outcome !== 'cancelled') events.emit({ type: 'session.status', status: 'busy' });
    return decided;
  }

  /** Told as a question without options: nobody is asked, and the agent has no place for the reason. */
  #tellRefusal({ options: _, ...question }: ApprovalQuestion, message: string): void {
    const approvalId = `policy-${question.itemId ?? `${question.turnId}-${question.title}`}`;
    this.#emit([
      { ...question, type: 'approval.requested', approvalId, options: [] },
      { type: 'approval.resolved', approvalId, outcome: 'denied', by: 'policy', message },
    ]);
  }

  #question({ call, shown, before }: AskedUse, use: ToolUse, { turnId }: GatedTurn): ApprovalQuestion {
    const { cwd } = this.#options.rights;
    const kind = toolKind(shown, use.kind === 'relay');
    return { turnId, itemId: call.itemId, kind, title: toolTitle(shown), cwd, input: questionInput(shown, before) };
  }

  /** What is opened later is what lies there now: until then a person may be asked. Null for what the session is kept from. */
  #place(path: string): AgentFile | null {
    const { mode, cwd } = this.#options.rights;
    if (mode === 'unrestricted' && !this.#options.isConfined) return { path, inside: null };
    const inside = pathInside(cwd, path);
    return inside === null || inside === '' ? null : { path, inside };
  }

  #absolute(path: string): string {
    return resolve(this.#options.rights.cwd, path);
  }

  #emit(events: readonly LiveEvent[]): void {
    for (const event of events) this.#options.events.emit(event);
  }
}

const strictness = { allow: 0, ask: 1, refuse: 2 } as const;
const strictest = (verdicts: readonly ToolVerdict[]): ToolVerdict =>
  verdicts.reduce((worst, verdict) => (strictness[verdict.outcome] > strictness[worst.outcome] ? verdict : worst));

const noWayToAllowOnce = ({ name }: ToolUse): ToolVerdict => ({
  outcome: 'refuse',
  because: 'beyond',
  message: `The agent offers no way to allow ${name} this once.`,
});

const writing = ({ path, inside }: AgentFile, cwd: string): ToolUse => ({
  ...{ kind: 'edit', name: 'fs/write_text_file' },
  paths: [inside === null ? path : join(cwd, inside)],
});

const outside = (path: string, cwd: string): ToolVerdict => ({
  ...{ outcome: 'refuse', because: 'outside' },
  message: `Files are written inside ${cwd} only; ${path} is outside.`,
});
