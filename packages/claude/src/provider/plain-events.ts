import type { LiveEvent } from 'agent-relay-provider';
import { clampCount } from 'agent-relay-wire';
import type { z } from 'zod';
import type { ClaudeFrame } from '../stream-json/frames.ts';
import type { RateLimitFrame, SystemFrame } from '../stream-json/message-frames.ts';

/** Events that follow from one frame alone. */

export function apiRetry({ error, error_status: status, attempt, max_retries: most }: SystemFrame): LiveEvent {
  const code = typeof error === 'string' && error !== '' ? error : 'api_error';
  const message = `The model answered ${status ?? 'nothing'} (${code}); try ${attempt} of ${most} follows`;
  return { type: 'agent.error', code, message, willRetry: true };
}

export function rateLimit({ rate_limit_info: { status, resetsAt, rateLimitType } }: z.infer<typeof RateLimitFrame>): LiveEvent[] {
  if (status === 'allowed') return [];
  const which = rateLimitType ?? 'usage';
  const message = status === 'rejected' ? `The ${which} limit is reached` : `The ${which} limit is near`;
  // Seconds, as everywhere in the vendor's limits.
  return [{ type: 'quota.warning', message, ...(resetsAt && resetsAt > 0 ? { resetsAt: clampCount(resetsAt * 1000) } : {}) }];
}

/** Where a machine runs the session our plugin for Claude Code starts no server, on purpose: the session has the relay's tools already. */
const ofOwnPlugin = 'plugin:agent-relay:relay';

/** What a session says of itself before its first turn, without the long lists. */
export function introduction(frame: SystemFrame): LiveEvent[] {
  const { model = null, claude_code_version: version = null, permissionMode = null, tools, mcp_servers: servers } = frame;
  const mcpServers = servers.map(({ name, status = 'unknown' }) => ({ name, status }));
  const failed = mcpServers.filter(({ name, status }) => status === 'failed' && name !== ofOwnPlugin);
  return [
    { type: 'vendor.event', vendor: 'claude', name: 'system/init', data: { model, version, permissionMode, tools, mcpServers } },
    ...failed.map(
      ({ name }): LiveEvent => ({
        type: 'agent.error',
        code: 'mcp_server_failed',
        message: `The MCP server ${name} did not start`,
        willRetry: false,
      }),
    ),
  ];
}

export function vendorEvent(frame: ClaudeFrame): LiveEvent {
  const name = frame.subtype ? `${frame.type}/${frame.subtype}` : frame.type;
  return { type: 'vendor.event', vendor: 'claude', name, data: asJson(frame) };
}

type Json = Extract<LiveEvent, { type: 'vendor.event' }>['data'];

/** Frames were JSON text a moment ago; a field of theirs that reads as absent is absent. */
export const asJson = (value: object): Json => Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Json;
