import { API_PREFIX, type ErrorBody, RelayError, relayErrorFromBody } from 'agent-relay-protocol';

const EXCHANGE_PATH = `${API_PREFIX}/login-codes/exchange`;
const SESSION_PATH = `${API_PREFIX}/login-session`;
/** Kept by the page, whose storage no other port of the host can read; the cookie goes to all of them. */
const WORD_KEY = 'agent-relay-session';
const TOKEN_ID_KEY = 'agent-relay-session-id';

/** The word that goes with this browser's cookie; `null` when nobody is signed in. */
export const sessionWord = (): string | null => window.localStorage.getItem(WORD_KEY);

/** Which of the relay's tokens this browser's session is; `null` where a token that somebody showed is the session. */
export const sessionTokenId = (): string | null => window.localStorage.getItem(TOKEN_ID_KEY);

/** Turns a login code or a token into the session that this page's requests carry. @throws RelayError what the relay said. */
export async function signIn(credential: { readonly code: string } | { readonly token: string }): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await ask(EXCHANGE_PATH, { method: 'POST', headers, body: JSON.stringify(credential) });
  // The relay's own answer to this path.
  const { session, tokenId } = (await response.json()) as { readonly session: string; readonly tokenId?: string };
  window.localStorage.setItem(WORD_KEY, session);
  if (tokenId === undefined) window.localStorage.removeItem(TOKEN_ID_KEY);
  else window.localStorage.setItem(TOKEN_ID_KEY, tokenId);
}

/** Has the relay end this browser's session and the browser forget it. @throws RelayError when the relay did not say that it did. */
export async function signOut(): Promise<void> {
  await ask(SESSION_PATH, { method: 'DELETE', headers: sessionHeaders() });
  window.localStorage.removeItem(WORD_KEY);
  window.localStorage.removeItem(TOKEN_ID_KEY);
}

async function ask(path: string, request: RequestInit): Promise<Response> {
  const response = await fetch(path, request).catch((cause: unknown) => {
    throw new RelayError('connection_closed', 'The relay could not be reached', { cause });
  });
  if (response.ok) return response;
  const body = (await response.json().catch(() => null)) as { readonly error?: ErrorBody } | null; // the relay's error shape, or a proxy's page
  if (body?.error) throw relayErrorFromBody(body.error);
  throw new RelayError('connection_closed', `Something before the relay answered with status ${response.status}`);
}

function sessionHeaders(): Record<string, string> {
  const word = sessionWord();
  return word === null ? {} : { 'x-agent-relay-session': word };
}

/** Whether the relay is there and does not know this browser; a relay that does not answer leaves the question open. */
export async function isSignedOut(): Promise<boolean> {
  try {
    const response = await fetch(`${API_PREFIX}/me`, { headers: sessionHeaders() });
    return response.status === 401;
  } catch {
    return false;
  }
}
