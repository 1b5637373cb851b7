import type { ActivityEntry, AgentEvent, HookResult } from 'agent-relay-protocol';
import { asText } from 'agent-relay-protocol';
import { withoutEnvelopeEnds } from 'agent-relay-wire';
import { clockTime, oneLine } from './terminal.ts';

/** One step of an agent as a line for people; `null` for deltas and for what only machines want to see. */
export function describeActivity({ at, agentId, event }: ActivityEntry): string | null {
  const text = textOf(event);
  return text === null ? null : `${clockTime(at)}  ${agentId}  ${text}`;
}

function textOf(event: AgentEvent): string | null {
  switch (event.type) {
    case 'session.started':
      return `session started in ${event.cwd}${event.runtime === undefined ? '' : `, on ${oneLine(event.runtime)}`}`;
    case 'session.ended':
      return `session ended: ${event.reason}${event.detail === undefined ? '' : `, ${oneLine(event.detail)}`}`;
    case 'turn.started':
      return event.cause === undefined ? 'turn started' : `turn started: ${oneLine(event.cause)}`;
    case 'turn.completed':
      return `turn ${event.outcome}`;
    case 'turn.failed':
      return `turn failed (${oneLine(event.error.code)}): ${oneLine(event.error.message)}`;
    case 'user.message':
      return `← ${oneLine(event.messageIds === undefined ? event.text : withoutEnvelopeEnds(event.text))}`;
    case 'text.completed':
      return `→ ${oneLine(event.text, 2_000)}`;
    case 'tool.started':
      return `• ${oneLine(event.title)}`;
    case 'tool.completed':
      return event.outcome === 'succeeded' ? null : `• ${event.outcome}${whyOf(event)}`;
    case 'file.changed':
      return event.changes.map(({ change, path }) => `${change} ${oneLine(path)}`).join(', ');
    case 'plan.updated':
      return `plan: ${event.steps.filter(({ status }) => status === 'done').length} of ${event.steps.length} done`;
    case 'approval.requested':
      return `asks: ${oneLine(event.title)}`;
    case 'approval.resolved':
      return `${event.outcome} by ${oneLine(event.by)}${event.message === undefined ? '' : `: ${oneLine(event.message)}`}${changedTo(event)}`;
    case 'quota.warning':
      return `quota: ${oneLine(event.message)}`;
    case 'context.warning':
      return `context: ${event.usedTokens} of ${event.contextWindow} tokens`;
    case 'context.compacted':
      return 'context compacted';
    case 'hook.completed':
      return describeHookRun(event);
    case 'output.line':
      return `${event.stream}: ${oneLine(event.text)}`;
    case 'agent.error':
      return `error: ${oneLine(event.message)}${event.willRetry ? ', tries again' : ''}`;
    case 'session.status':
    case 'text.delta':
    case 'reasoning.delta':
    case 'reasoning.completed':
    case 'tool.updated':
    case 'input.accepted':
    case 'usage.updated':
    case 'vendor.event':
      return null;
  }
  // An event that is new here is a compile error; one that is newer than this program is passed over.
  event satisfies never;
  return null;
}

/** What runs instead of what was asked for. */
function changedTo({ updatedInput: input }: Extract<AgentEvent, { type: 'approval.resolved' }>): string {
  if (input === undefined) return '';
  const isCommand = typeof input === 'object' && input !== null && !Array.isArray(input) && typeof input['command'] === 'string';
  return `; changed to: ${oneLine(isCommand ? asText(input['command']) : JSON.stringify(input), 1000)}`;
}

/** What a tool said when it did not succeed: the reason of a refusal, the end of a command's output. */
function whyOf({ exitCode, output = '' }: Extract<AgentEvent, { type: 'tool.completed' }>): string {
  const code = exitCode === undefined ? '' : ` with exit code ${exitCode}`;
  const lines = output
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '');
  // Of a short answer all, of a long one its end: there the reason stands.
  const said = oneLine(lines.length <= 3 ? lines.join(' ') : lines.slice(-2).join(' '), 300);
  return said === '' ? code : `${code}: ${said}`;
}

/** A hook's run in a line, for the log of an agent and for `hooks`. */
export function describeHookRun({ hook, trigger, outcome, exitCode, durationMs, detail, output }: HookResult): string {
  const how = exitCode === undefined || exitCode === 0 ? outcome.replace('_', ' ') : `${outcome}, exit code ${exitCode}`;
  const last = outcome === 'succeeded' ? undefined : (detail ?? output?.trim().split('\n').at(-1));
  return `hook ${oneLine(hook, 80)} on ${oneLine(trigger, 40)}: ${how} in ${durationMs} ms${last ? `: ${oneLine(last, 200)}` : ''}`;
}
