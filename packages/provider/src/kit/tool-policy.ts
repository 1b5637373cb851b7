import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import type { ReservedAgainst } from '../contract.ts';
import { editRefusal } from '../guarded-paths.ts';

/** What a session was started with, as far as it says what tools may do. */
export interface SessionRights {
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  /** A person may be asked for what goes beyond an `agentic` session. */
  readonly ask?: boolean | undefined;
  readonly cwd: string;
  readonly reservedAgainst?: ReservedAgainst | undefined;
}

/**
 * What a use of a tool comes to, whatever its vendor calls it:
 * - `relay`: a tool of the relay's, or what only tells which of those there are;
 * - `read`: looks and thinks, and changes nothing;
 * - `start`: starts or stops what is asked about itself, such as a subagent whose tools come here as well;
 * - `edit`: changes the files that it names;
 * - `question`: asks people for words or a choice;
 * - `other`: commands, the network, and whatever is not known to be one of these.
 */
export type ToolUse =
  | { readonly kind: 'relay' | 'read' | 'start' | 'question' | 'other'; readonly name: string }
  | { readonly kind: 'edit'; readonly name: string; readonly paths: readonly string[] };

/** `beyond`: more than the mode gives by itself, so that the user's own rules, or a person, may still allow it. Nobody can allow the others. */
export type ToolRefusal = 'nobody-watches' | 'safe' | 'read-only' | 'outside' | 'guarded' | 'beyond';

/** What becomes of a use. `because` says what a person is asked for; `message` is a sentence for the model. */
export type ToolVerdict =
  | { readonly outcome: 'allow' }
  | { readonly outcome: 'ask'; readonly because: 'mail' | 'beyond' | 'question' }
  | { readonly outcome: 'refuse'; readonly because: ToolRefusal; readonly message: string };

const allow: ToolVerdict = { outcome: 'allow' };
const refuse = (because: ToolRefusal, message: string): ToolVerdict => ({ outcome: 'refuse', because, message });

/**
 * The one rule for what a session's tools may do. The mode is the outer fence, and nobody's answer moves it; inside it a turn that relay mail is part
 * of is held to the session's approval, because a peer's message is never consent; what goes beyond `agentic` in another turn waits for a person
 * where one may be asked.
 */
export function judgeTool(use: ToolUse, rights: SessionRights, isMailTurn: boolean): ToolVerdict {
  const { mode, approval, ask } = rights;
  if (use.kind === 'relay') return allow;
  if (use.kind === 'question') {
    // It allows nothing, so that the mode does not matter; but where nobody was said to be there, it would wait in vain.
    if (ask || approval === 'guarded') return { outcome: 'ask', because: 'question' };
    return refuse('nobody-watches', 'No person watches this session. Ask through the relay instead, or decide yourself.');
  }
  if (mode === 'safe') return refuse('safe', 'This session is in safe mode: it may use the relay tools and no others.');
  if (use.kind === 'read') return allow;
  const isRestricted = isMailTurn && approval !== 'open';
  if (isRestricted && approval === 'read-only') {
    return refuse(
      'read-only',
      `A message from the relay started this turn, and such turns are read-only here: ${use.name} is not available in them.`,
    );
  }
  const forbidden = mode === 'agentic' && use.kind === 'edit' ? forbiddenEdit(use, rights.cwd) : null;
  if (forbidden !== null) return forbidden;
  if (isRestricted) return { outcome: 'ask', because: 'mail' };
  if (mode === 'unrestricted' || use.kind !== 'other') return allow;
  if (ask) return { outcome: 'ask', because: 'beyond' };
  return refuse(
    'beyond',
    `This session may read, and edit inside its folder. ${use.name} needs a session that may ask a person (ask) or is in unrestricted mode.`,
  );
}

function forbiddenEdit({ name, paths }: Extract<ToolUse, { kind: 'edit' }>, cwd: string): ToolVerdict | null {
  if (paths.length === 0) return refuse('outside', `${name} did not say which file it would change.`);
  for (const path of paths) {
    const refusal = editRefusal(cwd, path);
    if (refusal?.reason === 'outside') return refuse('outside', `This session may edit files inside ${cwd} only; ${path} is outside.`);
    if (refusal?.reason === 'guarded') {
      return refuse('guarded', `This session may not edit ${refusal.part}: what is in there can run commands.`);
    }
  }
  return null;
}
