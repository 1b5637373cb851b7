import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentEvent, AgentEventSchema } from 'agent-relay-protocol';
import { ClaudeTranslator } from '../src/provider/translator.ts';

/** Translates a recorded conversation; see `record-fixtures.ts`. Every event must be one of the protocol's. */
export function replay(name: string): AgentEvent[] {
  const translator = new ClaudeTranslator({ relayServers: ['agent-relay'], cwd: '/home/ada' });
  const lines = readFileSync(join(import.meta.dirname, 'fixtures', `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  return lines.flatMap((line) => {
    const { sent, frame } = JSON.parse(line);
    if (sent) translator.sent(sent);
    return frame ? translator.translate(frame).map((event) => AgentEventSchema.parse(event)) : [];
  });
}

/** An event in one line, without ids and numbers that differ from run to run. */
export function brief(event: AgentEvent): string {
  switch (event.type) {
    case 'input.accepted':
      return `accepted ${event.messageId} ${event.state} (${event.evidence})`;
    case 'text.delta':
    case 'text.completed':
    case 'reasoning.delta':
    case 'reasoning.completed':
      return `${event.type} ${event.text}`;
    case 'user.message':
      return `user ${event.turnId ?? '-'} ${event.text}`;
    case 'turn.started':
      return `started ${event.turnId}`;
    case 'turn.completed':
      return `completed ${event.turnId} ${event.outcome}`;
    case 'turn.failed':
      return `failed ${event.turnId} ${event.error.code}`;
    case 'tool.started':
      return `tool ${event.kind} ${event.title}`;
    case 'tool.completed':
      return `tool ${event.outcome}`;
    case 'file.changed':
      return `file ${event.changes.map(({ change, path }) => `${change} ${path}`).join()}`;
    case 'session.status':
      return event.status;
    case 'agent.error':
      return `error ${event.code}`;
    case 'vendor.event':
      return `vendor ${event.name}`;
    default:
      return event.type;
  }
}
