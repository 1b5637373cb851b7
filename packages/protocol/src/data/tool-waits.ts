import { mcpTools } from '../mcp-tools.ts';
import type { Wait } from '../route.ts';

interface Waiting {
  readonly wait?: Wait;
}

const waits = Object.entries<Waiting>(mcpTools).flatMap(([name, { wait }]) => (wait ? [[name, wait] as const] : []));

/** Of the tools that may be kept waiting, how long. */
export const toolWaits: Readonly<Record<string, Wait>> = Object.fromEntries(waits);
