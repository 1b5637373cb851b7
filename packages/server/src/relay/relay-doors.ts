import type { Scope } from 'agent-relay-protocol';
import { assertAccess, assertNode, guardedNodeHandlers } from './access/access.ts';
import { logReaderOf } from './access/log-reader.ts';
import { livingNodeHandlers, openLiving } from './calls/living-calls.ts';
import { openPresent } from './calls/present-calls.ts';
import { kindsOf } from './calls/reserved-names.ts';
import type { CallContext, Relay } from './contract/relay-contract.ts';
import type { SessionsPart } from './relay-core.ts';
import type { RelayParts } from './relay-parts.ts';
import type { Tokens } from './tokens/tokens.ts';

/*
 * What the transports call beside the routes.
 */

/** What machines call: a kind of agent that one offers is a name that means something from then on. */
export function nodeDoors({ core, sessions, reserved }: RelayParts): Pick<Relay, 'nodeHandlers' | 'nodeLive' | 'nodeDetached'> {
  const { lives } = core.tokens;
  const { nodeHandlers, nodeLive, nodeDetached } = sessions;
  return {
    nodeHandlers: guardedNodeHandlers(
      livingNodeHandlers(
        {
          ...nodeHandlers,
          'nodes/attach': async (params, context) => {
            const attached = await nodeHandlers['nodes/attach'](params, context);
            reserved.offer(attached.nodeId, kindsOf(params));
            return attached;
          },
          'nodes/heartbeat': async (params, context) => {
            const answer = await nodeHandlers['nodes/heartbeat'](params, context);
            const { principal } = context;
            if (params.offer && principal.type === 'node') reserved.offer(principal.nodeId, kindsOf(params.offer));
            return answer;
          },
        },
        lives,
      ),
    ),
    nodeLive: (params, context) => {
      assertNode(context.principal);
      lives.assertLive(context.principal);
      nodeLive(params, context);
    },
    nodeDetached,
  };
}

/** A stream needs its scope, and lives no longer than the token it was opened with. */
export function streamsOf({
  core,
  readers,
  sessions,
  presence,
  inbox,
}: RelayParts): Pick<Relay, 'openActivity' | 'openEvents' | 'openInbox'> {
  const { store, feed, tokens } = core;
  const open = <Batch, Stream extends { readonly batches: AsyncIterable<Batch> }>(
    { scopes, shared = false }: { readonly scopes: readonly Scope[]; readonly shared?: boolean },
    context: CallContext,
    opened: (context: CallContext) => Promise<Stream>,
    mayStill?: () => void,
  ): Promise<Stream> => {
    for (const scope of scopes) assertAccess({ scope, shared, anonymous: true }, context.principal);
    return openLiving<Batch, Stream>(context, tokens.lives, opened, mayStill);
  };
  return {
    openActivity: async (params, context) =>
      open({ scopes: ['events:read'], shared: true }, context, (living) => sessions.openActivity(params, living)),
    openEvents: async (filter, context) =>
      open({ scopes: ['events:read'] }, context, async ({ principal, signal, turn }) =>
        feed.open(logReaderOf({ store, readers }, principal), filter, { signal, turn }),
      ),
    openInbox: async (params, context) =>
      // To be handed mail changes what is waiting.
      open({ scopes: ['messages:read', 'messages:write'] }, context, (living) =>
        openPresent(params, living, presence, () => inbox.openInbox(params, living)),
      ),
  };
}

export function principalsOf(
  tokens: Tokens,
  { pairings }: Pick<SessionsPart, 'pairings'>,
): Pick<Relay, 'authenticate' | 'assertLive' | 'endOf' | 'asNode' | 'exchangeLoginCode' | 'endBrowserSession'> {
  const { lives } = tokens;
  return {
    authenticate: async (token, as) => {
      const principal = await tokens.authenticate(token, as);
      if (principal?.type === 'node') pairings.forget(principal.nodeId);
      return principal;
    },
    assertLive: (principal) => lives.assertLive(principal),
    endOf: (principal) => lives.endOf(principal),
    asNode: (principal, nodeId) => {
      assertNode(principal);
      return lives.inherit({ type: 'node', workspace: principal.workspace, nodeId }, principal);
    },
    exchangeLoginCode: (code) => tokens.exchangeLoginCode(code),
    endBrowserSession: (token) => tokens.endBrowserSession(token),
  };
}
