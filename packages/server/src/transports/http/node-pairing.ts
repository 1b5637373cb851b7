import { PairingSecretSchema, RelayError, RequestPairingSchema } from 'agent-relay-protocol';
import type { z } from 'zod';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import { parseParams } from '../route-calls.ts';
import { writeAnswer } from './answer.ts';
import type { Endpoint, Exchange } from './endpoint.ts';
import { readJsonBody } from './read-body.ts';

type Deps = Readonly<Record<'relay', Pick<Relay, 'pairings'>>>;

/** `POST`: a machine asks to be let in. It has no token yet, wherever it is. */
export const pairingRequestEndpoint = ({ relay }: Deps): Endpoint => ({
  methods: ['POST'],
  serve: async (exchange) => {
    const asked = await bodyOf(RequestPairingSchema, exchange);
    const offer = relay.pairings.request(asked, exchange.request.socket.remoteAddress ?? '');
    writeAnswer(exchange.response, { status: 201, body: offer });
  },
});

/** `POST`: what became of it, for whoever has the secret. */
export const pairingOutcomeEndpoint = ({ relay }: Deps): Endpoint => ({
  methods: ['POST'],
  serve: async (exchange) => {
    const { secret } = await bodyOf(PairingSecretSchema, exchange);
    writeAnswer(exchange.response, { status: 200, body: relay.pairings.outcome(secret) });
  },
});

/** The schemas pass over what a newer machine says besides. @throws RelayError `forbidden_origin`, what `readJsonBody` and `parseParams` throw. */
async function bodyOf<Schema extends z.ZodType>(schema: Schema, { request, origin }: Exchange): Promise<z.output<Schema>> {
  if (origin !== 'none') throw new RelayError('forbidden_origin', 'Machines are paired by relay-connect, not by pages');
  return parseParams(schema, await readJsonBody(request));
}
