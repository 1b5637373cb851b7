import { API_PREFIX, type ErrorBody, RelayError, relayErrorFromBody } from 'agent-relay-protocol';

const EXCHANGE_PATH = `${API_PREFIX}/login-codes/exchange`;
const SESSION_PATH = `${API_PREFIX}/login-session`;

/** Turns a login code or a token into the cookie that this page's requests carry. @throws RelayError what the relay said. */
export async function signIn(credential: { readonly code: string } | { readonly token: string }): Promise<void> {
  await ask(EXCHANGE_PATH, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(credential) });
}

/** Has the relay end this browser's session and the browser forget its cookie. @throws RelayError when the relay did not say that it did. */
export async function signOut(): Promise<void> {
  await ask(SESSION_PATH, { method: 'DELETE' });
}

async function ask(path: string, request: RequestInit): Promise<void> {
  const response = await fetch(path, request).catch((cause: unknown) => {
    throw new RelayError('connection_closed', 'The relay could not be reached', { cause });
  });
  if (response.ok) return;
  const body = (await response.json().catch(() => null)) as { readonly error?: ErrorBody } | null; // the relay's error shape, or a proxy's page
  if (body?.error) throw relayErrorFromBody(body.error);
  throw new RelayError('connection_closed', `Something before the relay answered with status ${response.status}`);
}

/** Whether the relay is there and does not know this browser; a relay that does not answer leaves the question open. */
export async function isSignedOut(): Promise<boolean> {
  try {
    const response = await fetch(`${API_PREFIX}/me`);
    return response.status === 401;
  } catch {
    return false;
  }
}
