import {
  loosely,
  type MethodParams,
  type NodeMethodName,
  nodeMethods,
  nodeNotifications,
  type Principal,
  RelayError,
  socketMethods,
} from 'agent-relay-protocol';
import type { z } from 'zod';
import { assertNode } from '../../relay/access/access.ts';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import { parseParams } from '../route-calls.ts';
import type { SocketMethod, SocketSpeaker } from './socket-method.ts';

/** Every method of the socket that is no route. */
export function createSocketMethods({ nodeHandlers }: Pick<Relay, 'nodeHandlers'>): ReadonlyMap<string, SocketMethod> {
  const names = Object.keys(nodeMethods) as NodeMethodName[]; // `nodeMethods` is `as const`: its keys are exactly NodeMethodName
  return new Map<string, SocketMethod>([
    ['auth/authenticate', authenticate],
    ['events/subscribe', subscribeEvents],
    ['events/unsubscribe', unsubscribe],
    ['inbox/subscribe', subscribeInbox],
    ['activity/subscribe', subscribeActivity],
    ...names.map((name): [string, SocketMethod] => [name, nodeMethod(name, nodeHandlers)]),
  ]);
}

/** A node may be newer than its relay: what it says of its agents is read by its known words, and kept whole. */
const LiveActivitySchema = loosely(nodeNotifications['activity/live'].params);

export const notificationsFor: ReadonlyMap<string, SocketMethod> = new Map([
  [
    'activity/live',
    {
      run: (connection, params, { signal }) => {
        const principal = named(connection);
        assertNode(principal);
        connection.relay.nodeLive(parseParams(LiveActivitySchema, params, Number.POSITIVE_INFINITY), { principal, signal });
      },
    },
  ],
] satisfies [string, SocketMethod][]);

const authenticate: SocketMethod = {
  isOpenToNameless: true,
  run: async (connection, params) => {
    const { token, session } = parseParams(socketMethods['auth/authenticate'].params, params);
    const { authenticator, cookie } = connection;
    const named =
      session === undefined ? await authenticator.authenticateToken(token ?? '') : await authenticator.authenticateBrowser(cookie, session);
    const { principal } = connection;
    if (principal && principal.type !== 'anonymous' && !isSame(principal, named)) {
      throw new RelayError('forbidden', 'This socket speaks for somebody else already');
    }
    connection.speakAs(named);
    return named;
  },
};

const subscribeEvents: SocketMethod = {
  run: (connection, params) => {
    const filter = parseParams(socketMethods['events/subscribe'].params, params);
    const { subscriptions, relay } = connection;
    return subscriptions.add(
      named(connection),
      async (context) => {
        const { batches, cursor, generation } = await relay.openEvents(filter, context);
        return { batches, result: { cursor, generation } };
      },
      (subscriptionId, batch) => subscriptions.pushEvents(subscriptionId, batch),
    );
  },
};

const subscribeInbox: SocketMethod = {
  run: (connection, params) => {
    const request = parseParams(socketMethods['inbox/subscribe'].params, params);
    const { subscriptions, relay } = connection;
    return subscriptions.add(
      named(connection),
      async (context) => ({ batches: (await relay.openInbox(request, context)).batches, result: {} }),
      (subscriptionId, items) => subscriptions.pushMail(subscriptionId, items),
    );
  },
};

const subscribeActivity: SocketMethod = {
  run: (connection, params) => {
    const request = parseParams(socketMethods['activity/subscribe'].params, params);
    const { subscriptions, relay } = connection;
    return subscriptions.add(
      named(connection),
      async (context) => {
        const { batches, cursor } = await relay.openActivity(request, context);
        return { batches, result: { cursor } };
      },
      (subscriptionId, batch) => [
        'entries' in batch
          ? subscriptions.notify('activity/next', { subscriptionId, entries: [...batch.entries] })
          : subscriptions.notify('activity/watchers', { subscriptionId, ...batch.others }),
      ],
    );
  },
};

const unsubscribe: SocketMethod = {
  run: (connection, params) => {
    connection.subscriptions.remove(parseParams(socketMethods['events/unsubscribe'].params, params).subscriptionId);
    return {};
  },
};

function nodeMethod<Name extends NodeMethodName>(name: Name, handlers: Relay['nodeHandlers']): SocketMethod {
  const schema = loosely<z.ZodType>(nodeMethods[name].params);
  const handler = handlers[name];
  return {
    run: async (connection, params, { signal }) => {
      const principal = named(connection);
      // The handler asks as well; here it comes before what is wrong with the input.
      assertNode(principal);
      // What vendors say is of any shape, and a batch of it bounded by its text.
      const parsed = parseParams(schema, params, Number.POSITIVE_INFINITY) as MethodParams<Name>; // parsed by the schema that the type is inferred from
      const result = await handler(parsed, { principal, signal, link: connection.link });
      if (name === 'nodes/attach') attach(connection, result);
      return result;
    },
  };
}

/** From here on the socket is the node's: also an owner's, who lends the machine out, speaks as the node and as the agents it hosts. */
function attach(connection: SocketSpeaker, result: object): void {
  connection.markAttached();
  if ('nodeId' in result && typeof result.nodeId === 'string') {
    connection.speakAs(connection.relay.asNode(named(connection), result.nodeId));
  }
}

/** The connection lets nobody without a name come here; said again for the types. */
function named({ principal }: SocketSpeaker): Principal {
  if (principal) return principal;
  throw new RelayError('unauthorized', 'Name yourself first: auth/authenticate');
}

function isSame(left: Principal, right: Principal): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
