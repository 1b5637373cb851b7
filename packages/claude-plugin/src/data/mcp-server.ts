import { MCP_SERVER_NAME, mcpTools, RELAY_VERSION } from 'agent-relay-protocol';
import { z } from 'zod';

/** Who the sidecar is to Claude Code. */
export const serverInfo = { name: MCP_SERVER_NAME, version: RELAY_VERSION };

const listed = Object.entries(mcpTools).filter(([name]) => name !== 'relay_inbox');

/** The relay's tools as a session has them. Mail comes in by itself, so there is no inbox to read. */
export const toolList = listed.map(([name, { description, input, readOnly }]) => ({
  name,
  description,
  inputSchema: inputSchemaOf(input),
  annotations: { readOnlyHint: readOnly },
}));

type JsonSchema = { readonly type: 'object'; readonly [key: string]: unknown };

function inputSchemaOf(schema: z.ZodType): JsonSchema {
  return { ...JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' }))), type: 'object' };
}
