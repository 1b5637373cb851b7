import { rmSync } from 'node:fs';
import type { KnownReservations } from 'agent-relay-protocol';
import { z } from 'zod';
import { beginsAnew, type HookAnswer, type HookQuestion } from '../hook/hook-message.ts';
import { holdNotedIn, noteHold } from '../hook/noted-hold.ts';
import type { ApprovalQuestions } from './approval-questions.ts';
import { answerSlashCommand, commandName } from './commands.ts';
import type { ClaudeConversation, EnteredMail } from './entered-mail.ts';
import type { MailDesk } from './mail-desk.ts';
import type { RelayPulse } from './relay-pulse.ts';
import type { RelaySide } from './relay-side.ts';
import { reservedAgainst } from './reserved-against.ts';
import { standingWords } from './session-words.ts';
import { decideToolUse, type ToolDecision } from './tool-gate.ts';
import type { LiveTurn } from './turn.ts';

export interface HookDeskOptions {
  readonly relay: RelaySide;
  readonly pulse: Pick<RelayPulse, 'isSilent'>;
  readonly mail: MailDesk;
  readonly entered: Pick<EnteredMail, 'answered'>;
  readonly turn: LiveTurn;
  readonly questions: ApprovalQuestions;
  readonly reservations: Pick<KnownReservations, 'met' | 'against'>;
  readonly kept: () => number;
  /** A person started it in the background, to be asked through the relay or at a terminal that they open. */
  readonly isInBackground: boolean;
  /** Is there while tools are held to less: what a hook sees when this process is gone. */
  readonly restrictedFile: string;
  /** In which the session begins. */
  readonly began: ClaudeConversation;
}

const lenientText = z.string().catch('');
const Input = z.looseObject({
  hook_event_name: lenientText,
  source: lenientText,
  reason: lenientText,
  session_id: lenientText,
  transcript_path: lenientText,
  prompt: lenientText,
  notification_type: lenientText,
  message: lenientText,
  command_name: lenientText,
  command_args: lenientText,
  command_source: lenientText,
  tool_name: lenientText,
  tool_use_id: lenientText,
  tool_input: z.record(z.string(), z.unknown()).catch({}),
  cwd: lenientText,
  agent_id: z.string().optional().catch(undefined),
});
type Input = z.infer<typeof Input>;

/** How long a session that has been told nothing yet waits for the relay's first word, in ms. */
const START_WAIT_MS = 80;
/** And a tool of which only the relay knows what it may do: in a turn with mail, or with files that may be reserved. */
const FIRST_WORD_MS = 3_000;
const nothing: HookAnswer = {};

/** What the session's hooks are answered: who the session is, what it may do, what its person typed to the relay. */
export class HookDesk {
  readonly #options: HookDeskOptions;
  /** What the session was told of how it stands. */
  #told = '';
  #isAtWork = false;
  #conversation: ClaudeConversation;

  constructor(options: HookDeskOptions) {
    this.#options = options;
    this.#conversation = options.began;
  }

  /** In which the session is, as its last hook said. */
  get conversation(): ClaudeConversation {
    return this.#conversation;
  }

  /** The signal aborts when nobody waits for the answer any more. */
  async answer({ type, input, isUnattended = false }: HookQuestion, signal: AbortSignal): Promise<HookAnswer> {
    if (type === 'wait') return this.#wait(signal);
    const event = Input.parse(input);
    if (event.session_id !== '') this.#conversation = conversationOf(event);
    this.#lookForHold();
    switch (event.hook_event_name) {
      case 'SessionStart':
        return this.#started(event, signal);
      case 'UserPromptSubmit':
        return this.#prompted(event, signal);
      case 'UserPromptExpansion':
        return this.#expanded(event);
      case 'PreToolUse':
        return this.#beforeTool(event);
      case 'PermissionRequest':
        return this.#asked(event, isUnattended && !this.#options.isInBackground, signal);
      case 'PostToolUse':
      case 'PostToolUseFailure':
        return this.#afterTool(event);
      case 'Stop':
        this.#rested(event, 'stopped');
        if (event.agent_id === undefined) await this.#options.entered.answered('stop');
        return nothing;
      case 'StopFailure':
        this.#rested(event, 'stopped');
        return nothing;
      case 'Notification':
        if (event.notification_type === 'idle_prompt') this.#rested(event, 'ended');
        else void this.#options.questions.tellOfDialog(event.message);
        return nothing;
      case 'SessionEnd':
        // `/clear` and `/resume` go on in the same process, and as the same agent.
        if (event.reason === 'clear' || event.reason === 'resume') this.#rested(event, 'ended');
        else this.#isOver();
        return nothing;
      default:
        return nothing;
    }
  }

  /** Otherwise than by a prompt: a tool of the relay's hands it out. */
  mailArrived(): void {
    this.#options.turn.mailArrived();
    this.#noteRestriction();
  }

  async #started({ source }: Input, signal: AbortSignal): Promise<HookAnswer> {
    const { relay, turn } = this.#options;
    if (beginsAnew(source)) turn.ended();
    this.#noteRestriction();
    await this.#firstWord(signal);
    relay.setStatus('idle');
    // Nobody waits any more: it is told with the first prompt.
    if (signal.aborted) return nothing;
    // Always: what was said before `/clear`, or before a conversation was made shorter, is not there any more.
    this.#told = standingWords(relay);
    return contextOf('SessionStart', [this.#told]);
  }

  async #prompted({ prompt, agent_id }: Input, signal: AbortSignal): Promise<HookAnswer> {
    const { mail, turn, questions } = this.#options;
    if (agent_id !== undefined) return nothing;
    const { taken, isCopy } = mail.takeIn(prompt, this.#conversation);
    if (isCopy) return json({ decision: 'block', reason: copyKeptOut });
    const context = mail.takeContext(this.#conversation);
    turn.prompted({ hasMail: taken.length > 0 || context !== null || prompt.includes('<cross-session-message') });
    if (taken.length === 0) questions.settleAll();
    this.#works();
    this.#noteRestriction();
    if (this.#told === '') await this.#firstWord(signal);
    return contextOf('UserPromptSubmit', [this.#news(), context]);
  }

  async #expanded({ command_name, command_args, command_source }: Input): Promise<HookAnswer> {
    const name = command_source === 'plugin' ? commandName(command_name) : null;
    if (name === null) return nothing;
    const { relay, kept } = this.#options;
    return json({ decision: 'block', reason: await answerSlashCommand(name, command_args, { relay, kept }) });
  }

  async #beforeTool(event: Input): Promise<HookAnswer> {
    const { turn, questions } = this.#options;
    const { agent_id } = event;
    // A subagent in the background outlives the turn that began it.
    if (agent_id === undefined) {
      turn.worked();
      void this.#options.entered.answered('tool');
      // The first prompt of a session may have come before this process was there.
      this.#works();
    }
    const decision = await this.#decide(event);
    if (agent_id === undefined && decision?.permission !== 'deny') questions.begun(event.tool_use_id);
    return decision === null ? nothing : beforeTool(decision);
  }

  async #decide({ tool_name: name, tool_input: input, cwd }: Input): Promise<ToolDecision | null> {
    const { relay, turn, reservations } = this.#options;
    const signal = AbortSignal.timeout(FIRST_WORD_MS);
    if (turn.hasMail) await relay.settled(signal);
    this.#noteRestriction();
    const decision = decideToolUse({ name, input }, relay.heldTo, turn.hasMail);
    if (decision !== null) return decision;
    const reserved = await reservedAgainst({ name, input, cwd }, { relay, reservations, signal });
    return reserved === null ? null : { permission: 'deny', reason: reserved };
  }

  #afterTool({ tool_name: name, tool_input: input, tool_use_id: toolUseId, agent_id }: Input): HookAnswer {
    this.#options.questions.ended({ name, input, toolUseId, isOfSubagent: agent_id !== undefined });
    return nothing;
  }

  /** The dialog at the terminal is open meanwhile; who answers first is heard. */
  async #asked({ tool_name: name, tool_input: input, cwd }: Input, isUnattended: boolean, signal: AbortSignal): Promise<HookAnswer> {
    const { questions, turn, relay } = this.#options;
    const isHeld = turn.hasMail && relay.heldTo !== 'open';
    // Nobody sits there, and nobody said that people are to be asked: the session's own rules answer.
    if (isUnattended && !isHeld) return nothing;
    const answer = await questions.ask({ name, input, cwd }, { isUnattended, signal });
    if (answer === null) return nothing;
    const decision =
      answer.outcome === 'allow' ? { behavior: 'allow', updatedInput: answer.input } : { behavior: 'deny', message: answer.message };
    return json({ hookSpecificOutput: { hookEventName: 'PermissionRequest', decision } });
  }

  async #wait(signal: AbortSignal): Promise<HookAnswer> {
    const words = await this.#options.mail.nextWords(signal);
    return words === null ? nothing : { stderr: words, exitCode: 2 };
  }

  async #firstWord(signal: AbortSignal): Promise<void> {
    // It has had as long as this process took to load.
    if (this.#options.pulse.isSilent) return;
    await this.#options.relay.settled(AbortSignal.any([signal, AbortSignal.timeout(START_WAIT_MS)]));
  }

  #works(): void {
    if (this.#isAtWork) return;
    const { mail, relay } = this.#options;
    this.#isAtWork = true;
    mail.isBusy = true;
    relay.setStatus('busy');
  }

  #rested({ agent_id }: Input, how: 'stopped' | 'ended'): void {
    const { mail, turn, relay, questions } = this.#options;
    if (agent_id !== undefined) return;
    if (how === 'ended') turn.ended();
    else turn.stopped();
    questions.settleAll();
    this.#isAtWork = false;
    mail.isBusy = false;
    if (relay.state !== 'replaced') relay.setStatus('idle');
    this.#noteRestriction();
    void mail.retry();
  }

  #isOver(): void {
    this.#options.turn.ended();
    this.#noteRestriction();
    this.#options.relay.setStatus('offline');
  }

  /** A process that was here before, or a hook that nobody answered, holds a turn with mail: it goes on. Each time, for that hook may have found no door while this one was opened. */
  #lookForHold(): void {
    const { turn, restrictedFile } = this.#options;
    const noted = turn.hasMail ? null : holdNotedIn(restrictedFile);
    if (noted !== null) turn.heldBefore({ isStopped: noted === 'stopped' });
  }

  /** How the session stands, where that is not what it was told. */
  #news(): string | null {
    const words = standingWords(this.#options.relay);
    if (words === this.#told) return null;
    this.#told = words;
    return words;
  }

  #noteRestriction(): void {
    const { turn, relay, restrictedFile } = this.#options;
    const isRestricted = turn.hasMail && relay.heldTo !== 'open';
    const hold = turn.isBusy ? 'runs' : 'stopped';
    // A hook that was not answered in time may have put it there as well.
    if (holdNotedIn(restrictedFile) === (isRestricted ? hold : null)) return;
    try {
      if (isRestricted) noteHold(restrictedFile, hold);
      else rmSync(restrictedFile, { force: true });
    } catch {
      // It is for hooks that find nobody here. As long as this process lives it decides, and notes it with the next that it can.
    }
  }
}

const copyKeptOut = 'Agent Relay: this message came in a second time, and is not given to the model again.';

const conversationOf = ({ session_id, transcript_path }: Input): ClaudeConversation => ({
  conversation: session_id,
  transcript: transcript_path === '' ? null : transcript_path,
});

const beforeTool = ({ permission, reason }: ToolDecision): HookAnswer =>
  json({ hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: permission, permissionDecisionReason: reason } });

const json = (value: object): HookAnswer => ({ stdout: JSON.stringify(value) });

function contextOf(hookEventName: string, parts: readonly (string | null)[]): HookAnswer {
  const additionalContext = parts.filter((part) => part !== null).join('\n\n');
  return additionalContext === '' ? nothing : json({ hookSpecificOutput: { hookEventName, additionalContext } });
}
