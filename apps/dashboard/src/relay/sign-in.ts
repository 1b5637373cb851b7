import { API_PREFIX, type ErrorBody } from 'agent-relay-protocol';

const EXCHANGE_PATH = `${API_PREFIX}/login-codes/exchange`;
const SESSION_PATH = `${API_PREFIX}/login-session`;

/** Turns a login code or a token into the cookie that this page's requests carry. Rejects with what the relay said. */
export async function signIn(credential: { readonly code: string } | { readonly token: string }): Promise<void> {
  const response = await fetch(EXCHANGE_PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credential),
  });
  await assertOk(response);
}

/** Has the relay end this browser's session and the browser forget its cookie. Rejects when the relay did not say so. */
export async function signOut(): Promise<void> {
  await assertOk(await fetch(SESSION_PATH, { method: 'DELETE' }));
}

async function assertOk(response: Response): Promise<void> {
  if (response.ok) return;
  const body = (await response.json().catch(() => null)) as { readonly error?: ErrorBody } | null; // the relay's error shape, or a proxy's page
  throw new Error(body?.error?.message ?? `The relay answered with status ${response.status}`);
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
