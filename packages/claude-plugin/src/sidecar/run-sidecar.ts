import { aborted, sleep } from 'agent-relay-wire';
import { firstAnswers } from '../data/first-answers.ts';
import { isHosted } from '../session-place.ts';
import { feelPulse, type RelayPulse } from './relay-pulse.ts';
import { serveTools, type ToolServer } from './serve-tools.ts';
import type { SessionSituation, SidecarSession } from './sidecar-session.ts';
import type { ToolServerOptions } from './tool-server.ts';

export interface SidecarOptions extends SessionSituation, Pick<ToolServerOptions, 'input' | 'output'> {
  /** Aborts when the session is over. */
  readonly signal: AbortSignal;
}

/** How long a Claude Code that does not ask for the tools is waited for, in ms. */
const LISTED_WITHIN_MS = 250;

/** Runs beside one session of Claude Code, as one of its MCP servers, until the signal aborts. */
export async function runSidecar({ signal, input, output, ...situation }: SidecarOptions): Promise<void> {
  const streams = { input, output, onError: (error: unknown) => situation.log.debug('MCP', { error }) };
  if (isHosted(situation.env)) {
    const mcp = serveTools({}, streams);
    await aborted(signal);
    return mcp.close();
  }
  const { AGENT_RELAY_URL: url, NODE_USE_ENV_PROXY: isByProxy } = situation.env;
  // A proxy may be the only way there.
  const pulse = feelPulse(isByProxy ? undefined : url);
  let begin = (_session: SidecarSession) => {};
  const session = new Promise<SidecarSession>((resolve) => {
    begin = resolve;
  });
  const mcp = serveTools(firstAnswers, { ...streams, call: async (name, given) => (await session).tools.call(name, given) });
  try {
    await using opened = await openAfter(mcp, { ...situation, pulse });
    begin(opened);
    await opened.run(signal);
    // Taken over by another: the session itself goes on, and is told so.
    if (!signal.aborted) await aborted(signal);
  } finally {
    pulse.close();
    await mcp.close();
  }
}

/** Claude Code keeps the first turn until it has the tools: what else there is, most of what is to be loaded, comes after. */
async function openAfter({ listed }: ToolServer, situation: SessionSituation & { readonly pulse: RelayPulse }): Promise<SidecarSession> {
  await Promise.race([listed, sleep(LISTED_WITHIN_MS)]);
  const { openSidecarSession } = await import('./sidecar-session.ts');
  return openSidecarSession(situation);
}
