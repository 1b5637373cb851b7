import type { AgentEvent } from 'agent-relay-protocol';
import type { KnownNotification } from '../app-server/notifications.ts';

/** A hook is a program that runs because of the agent: shown as a tool. One that belongs to no turn is passed on as it is. */
export function hookRan(method: string, params: Extract<KnownNotification, { method: 'hook/started' }>['params']): readonly AgentEvent[] {
  const { turnId, run } = params;
  if (turnId === undefined) return [codexEvent(method, params)];
  const itemId = `hook:${run.id}`;
  const title = `${run.eventName} hook${run.sourcePath ? ` of ${run.sourcePath}` : ''}`;
  if (method === 'hook/started') return [{ type: 'tool.started', turnId, itemId, name: 'hook', kind: 'other', title }];
  const output = run.entries.flatMap(({ text }) => (text ? [text] : [])).join('\n');
  const outcome = run.status === 'completed' ? 'succeeded' : run.status === 'failed' ? 'failed' : 'declined';
  return [{ type: 'tool.completed', turnId, itemId, outcome, ...(output === '' ? {} : { output }) }];
}

/** The points of a plan that is written as a text; all of it where it has none. */
export function stepsOf(text: string): { step: string; status: 'pending' }[] {
  const points = text.split('\n').flatMap((line) => /^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ x]\]\s+)?(.+)$/u.exec(line)?.[1] ?? []);
  return (points.length > 0 ? points : [text.trim()]).filter((step) => step !== '').map((step) => ({ step, status: 'pending' }));
}

export function stepStatus(status: string): 'pending' | 'active' | 'done' {
  if (status === 'completed') return 'done';
  return status === 'inProgress' ? 'active' : 'pending';
}

export function codexEvent(name: string, data: unknown): AgentEvent {
  // It came as JSON text, so it is JSON.
  return { type: 'vendor.event', vendor: 'codex', name, data: (data ?? null) as Extract<AgentEvent, { type: 'vendor.event' }>['data'] };
}
