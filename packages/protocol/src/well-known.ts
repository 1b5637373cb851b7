/** The built-in address of the person who owns the relay; it is never pruned. */
export const OWNER_AGENT_ID = 'owner';
/** The built-in address that the relay's own notices come from. */
export const RELAY_AGENT_ID = 'relay';
export const DEFAULT_WORKSPACE = 'default';

/** What stands, in a binding, for every conversation that has no binding of its own. */
export const EVERY_CONVERSATION = '*';

/** What a token can be given. */
export const scopes = [
  'stats:read',
  'health:read',
  'events:read',
  'channels:read',
  'agents:read',
  'agents:write',
  'messages:read',
  'messages:write',
  'tasks:read',
  'tasks:write',
  'tasks:create',
  'events:create',
  'pairs:read',
  'pairs:write',
  'sessions:read',
  'sessions:write',
  'approvals:read',
  'approvals:write',
  'holds:write',
  'nodes:read',
  'nodes:write',
  'workspace:read',
  '*',
] as const;

/** What a device may be told of: what agents ask, that one does not take its mail, what is sent to the owner. */
export const pushTopics = ['approvals', 'stalls', 'mail'] as const;

/** The name agents know the relay's MCP server by. */
export const MCP_SERVER_NAME = 'agent-relay';
