import type { ApprovalQuestion, ApprovalVerdict, SessionEvents } from 'agent-relay-provider';
import type { PermissionRequest } from '../stream-json/frames.ts';
import { asJson } from './plain-events.ts';
import { toolKind, toolTitle } from './tool-words.ts';
import type { ClaudeTranslator } from './translator.ts';

export interface QuestionParts {
  readonly translator: ClaudeTranslator;
  readonly events: Pick<SessionEvents, 'emit' | 'approvals'>;
}

/** Asks a person; the session is told to be waiting as long as a question of it is open. */
export async function askPerson(question: ApprovalQuestion, parts: QuestionParts, signal: AbortSignal): Promise<ApprovalVerdict> {
  const { translator, events } = parts;
  for (const event of translator.questionAsked()) events.emit(event);
  const verdict = await events.approvals.ask(question, signal);
  for (const event of translator.questionAnswered()) events.emit(event);
  return verdict;
}

export function questionOf(
  request: PermissionRequest,
  { relayServers, cwd }: { readonly relayServers: readonly string[]; readonly cwd: string },
  turnId: string | null,
): ApprovalQuestion {
  const { tool_name: name, input, tool_use_id: itemId } = request;
  return {
    kind: toolKind(name, relayServers),
    title: toolTitle(name, input),
    cwd,
    // Whose tool it is belongs to what is asked.
    input: asJson(name.startsWith('mcp__') ? { tool: name, arguments: input } : input),
    ...(turnId === null ? {} : { turnId }),
    ...(itemId === undefined ? {} : { itemId }),
  };
}
