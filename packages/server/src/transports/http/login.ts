import { RelayError } from 'agent-relay-protocol';
import { z } from 'zod';
import { FailureLimit } from '../../relay/access/failure-limit.ts';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import { sealSession } from '../browser-session.ts';
import { sessionCookieOf, sessionOf } from '../credentials.ts';
import { parseParams } from '../route-calls.ts';
import { writeAnswer } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import { readJsonBody } from './read-body.ts';

export interface LoginDeps {
  readonly relay: Pick<Relay, 'exchangeLoginCode' | 'authenticate' | 'generation'>;
  readonly now: () => number;
  /** Of a clock that nobody sets. */
  readonly elapsedMs: () => number;
}

const ExchangeSchema = z
  .strictObject({ code: z.string().min(1).max(512).optional(), token: z.string().min(1).max(512).optional() })
  .refine(({ code, token }) => (code === undefined) !== (token === undefined), 'Give a code or a token');

/**
 * `POST {code}`: a login code, once, for a session of the owner. `POST {token}`: a session that stands for that token, until the browser is
 * closed. Either is a cookie, which scripts cannot read, and the word in the answer, which other ports of the host do not get; `tokenId` says
 * under which id the session that a link began is listed.
 */
export function loginEndpoint({ relay, now, elapsedMs }: LoginDeps): Endpoint {
  const failures = new FailureLimit({ perMinute: 20, elapsedMs });
  return {
    methods: ['POST'],
    serve: async ({ request, response, origin }) => {
      if (origin === 'allowed') throw new RelayError('forbidden_origin', "A login code is exchanged on the dashboard's own page");
      const { code = '', token } = parseParams(ExchangeSchema, await readJsonBody(request));
      if (token !== undefined) {
        const principal = await relay.authenticate(token);
        if (principal === null || principal.type === 'share') {
          throw failures.fail(new RelayError('unauthorized', 'The token is not valid here, or not any more'));
        }
        const { cookie, word } = sealSession(token);
        writeAnswer(response, {
          status: 200,
          body: { expiresAt: null, session: word },
          headers: { 'set-cookie': cookieFor(relay, cookie) },
        });
        return;
      }
      const session = await relay.exchangeLoginCode(code);
      if (session === null) {
        throw failures.fail(new RelayError('unauthorized', 'This login link was used or is too old: agent-relay login prints a new one'));
      }
      const { expiresAt, tokenId } = session;
      const { cookie, word } = sealSession(session.token);
      const headers = { 'set-cookie': `${cookieFor(relay, cookie)}; Max-Age=${Math.max(1, Math.floor((expiresAt - now()) / 1000))}` };
      writeAnswer(response, { status: 200, body: { expiresAt, session: word, tokenId }, headers });
    },
  };
}

/**
 * `DELETE`: the browser forgets who it was, and the session that a login link began ends with everything it holds open. A token that it
 * signed in with is somebody's, and lives on.
 */
export function logoutEndpoint({ relay }: { readonly relay: Pick<Relay, 'endBrowserSession' | 'generation'> }): Endpoint {
  return {
    methods: ['DELETE'],
    serve: async ({ request, response, origin }) => {
      if (origin === 'allowed') throw new RelayError('forbidden_origin', "A browser logs out on the dashboard's own page");
      const session = sessionOf(request, origin, relay);
      const ended = typeof session === 'string' && (await relay.endBrowserSession(session));
      writeAnswer(response, { status: 200, body: { ended }, headers: { 'set-cookie': `${cookieFor(relay, '')}; Max-Age=0` } });
    },
  };
}

const cookieFor = (relay: Pick<Relay, 'generation'>, value: string): string =>
  `${sessionCookieOf(relay)}=${value}; Path=/; HttpOnly; SameSite=Strict`;
