import { RelayError } from 'agent-relay-protocol';
import { z } from 'zod';
import type { Relay } from '../../relay/relay-contract.ts';
import { sessionCookieOf, sessionOf } from '../credentials.ts';
import { parseParams } from '../route-calls.ts';
import { writeAnswer } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import { FailureLimit } from './failure-limit.ts';
import { readJsonBody } from './read-body.ts';

export interface LoginDeps {
  readonly relay: Pick<Relay, 'exchangeLoginCode' | 'authenticate' | 'generation'>;
  readonly now: () => number;
}

const ExchangeSchema = z
  .strictObject({ code: z.string().min(1).max(512).optional(), token: z.string().min(1).max(512).optional() })
  .refine(({ code, token }) => (code === undefined) !== (token === undefined), 'Give a code or a token');

/**
 * `POST {code}`: a login code, once, for the session cookie of the owner. `POST {token}`: a cookie that stands for that token, until the
 * browser is closed: scripts cannot read it, and the page needs no other way in.
 */
export function loginEndpoint({ relay, now }: LoginDeps): Endpoint {
  const failures = new FailureLimit({ perMinute: 20, now });
  return {
    methods: ['POST'],
    serve: async ({ request, response, origin }) => {
      if (origin === 'allowed') throw new RelayError('forbidden_origin', "A login code is exchanged on the dashboard's own page");
      const { code = '', token } = parseParams(ExchangeSchema, await readJsonBody(request));
      failures.check();
      if (token !== undefined) {
        if ((await relay.authenticate(token)) === null) {
          failures.count();
          throw new RelayError('unauthorized', 'The token is not valid here, or not any more');
        }
        writeAnswer(response, { status: 200, body: { expiresAt: null }, headers: { 'set-cookie': cookieFor(relay, token) } });
        return;
      }
      const session = await relay.exchangeLoginCode(code);
      if (session === null) {
        failures.count();
        throw new RelayError('unauthorized', 'This login link was used or is too old: agent-relay login prints a new one');
      }
      const maxAgeSeconds = Math.max(1, Math.floor((session.expiresAt - now()) / 1000));
      const cookie = `${cookieFor(relay, session.token)}; Max-Age=${maxAgeSeconds}`;
      writeAnswer(response, { status: 200, body: { expiresAt: session.expiresAt }, headers: { 'set-cookie': cookie } });
    },
  };
}

/**
 * `DELETE`: the browser forgets who it was, and the session that a login link began ends with everything it holds open. A token that it
 * signed in with is somebody's, and lives on.
 */
export function logoutEndpoint({ relay }: { readonly relay: Pick<Relay, 'endSession' | 'generation'> }): Endpoint {
  return {
    methods: ['DELETE'],
    serve: async ({ request, response, origin }) => {
      if (origin === 'allowed') throw new RelayError('forbidden_origin', "A browser logs out on the dashboard's own page");
      const session = sessionOf(request, origin, relay);
      const ended = session !== undefined && (await relay.endSession(session));
      writeAnswer(response, { status: 200, body: { ended }, headers: { 'set-cookie': `${cookieFor(relay, '')}; Max-Age=0` } });
    },
  };
}

/** Encoded, for a token that a person chose may hold what ends a cookie. */
const cookieFor = (relay: Pick<Relay, 'generation'>, token: string): string =>
  `${sessionCookieOf(relay)}=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict`;
