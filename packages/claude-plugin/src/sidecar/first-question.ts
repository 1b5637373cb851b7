import { asText } from 'agent-relay-protocol';

/** Which of the answers in `data/first-answers` a message of Claude Code asks for. */
export function firstQuestion(message: Readonly<Record<string, unknown>>): string {
  const params = asRecord(message['params']);
  const version = params['protocolVersion'] ?? asRecord(params['_meta'])['io.modelcontextprotocol/protocolVersion'];
  const parts = [message['method'], version, params['cursor']].filter((part) => part !== undefined);
  return parts.map(asText).join(' ');
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null ? { ...value } : {});
