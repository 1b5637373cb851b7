import { RELAY_VERSION } from 'agent-relay-protocol';
import { writeAnswer } from '../http/answer.ts';
import type { Endpoint } from '../http/endpoint.ts';

/** Where an agent's own program finds the plugin that makes its sessions agents of this relay. */
export const MARKETPLACE_PATH = '/marketplace.json';

/** The plugin itself comes from npm, in this relay's version: a marketplace that is fetched from an address holds no files. */
const marketplace = {
  name: 'agent-relay',
  owner: { name: 'Agent Relay' },
  description: 'The plugin that makes sessions agents of an Agent Relay.',
  plugins: [
    {
      name: 'agent-relay',
      source: { source: 'npm', package: 'agent-relay-plugin', version: RELAY_VERSION },
      description:
        'Messages between coding agents, in the session you work in: an address for it, the tools of the relay, approvals from anywhere.',
    },
  ],
};

/** The same for everybody, and it tells nothing of this relay: it asks for no token, which those who read it could not give. */
export const marketplaceEndpoint = (): Endpoint => ({
  methods: ['GET', 'HEAD'],
  serve: async ({ response }) => writeAnswer(response, { status: 200, body: marketplace }),
});
