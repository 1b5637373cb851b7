import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { hasBrowser } from '../support/browser.ts';
import { openDashboard } from './support.ts';

test.skipIf(!hasBrowser)('who signs out is out, in every window of the browser, and the session that was is good nowhere', async () => {
  await using world = await openDashboard();
  const { owner, relay } = world;
  await owner.agents.register({ name: 'Worker' });
  const page = await world.openPage();
  await page.goto('/tasks');
  const another = await page.context().newPage();
  await another.goto(relay.browserUrl);
  await another.getByText('Worker').first().waitFor();
  const [session] = await page.context().cookies();
  const word = await page.evaluate<string | null>("window.localStorage.getItem('agent-relay-session')");
  const me = (headers: Record<string, string> = { 'x-agent-relay-session': word ?? '' }) =>
    fetch(`${relay.url}/api/me`, { headers: { cookie: `${session?.name}=${session?.value}`, ...headers } });
  // The cookie, which other ports of a host get to see, is worth nothing without the word of our own page.
  expect(await (await me({})).json()).toMatchObject({ type: 'anonymous' });
  expect(await (await me()).json()).toMatchObject({ type: 'owner' });

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('This browser is not signed in.').waitFor();
  await another.getByText('This browser is not signed in.').waitFor();
  // A page sees its connection end, too, before it has the answer that takes the cookie away.
  await expect.poll(() => page.context().cookies()).toEqual([]);
  expect((await me()).status).toBe(401);
  expect((await owner.tokens.list()).data.filter(({ kind }) => kind === 'browser')).toEqual([]);
  await page.goBack();
  await page.getByText('This browser is not signed in.').waitFor();
});

test.skipIf(!hasBrowser)('who signed in with a token and signs out leaves the token as it is', async () => {
  await using world = await openDashboard();
  const { token, tokenId } = await world.owner.tokens.create({ name: 'board', kind: 'observer' });
  const page = await world.openStrangersPage();
  const signIn = async () => {
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('signed in as board').waitFor();
  };
  await page.goto('/');
  await signIn();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('This browser is not signed in.').waitFor();
  await expect.poll(() => page.context().cookies()).toEqual([]);
  expect((await world.owner.tokens.list()).data.map((known) => known.tokenId)).toContain(tokenId);
  await signIn();
});

test.skipIf(!hasBrowser)('what else listens on the machine learns nothing of a browser’s session that opens anything', async () => {
  await using world = await openDashboard();
  const { relay } = world;
  const heard: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    heard.push(request.headers.cookie);
    response.end('another program');
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo; // it listens on a port
  const page = await world.openPage('/tasks');
  const elsewhere = await page.context().newPage();
  for (const host of ['127.0.0.1', 'localhost', new URL(relay.browserUrl).hostname]) await elsewhere.goto(`http://${host}:${port}/`);
  other.close();
  const cookies = heard.filter((cookie) => cookie !== undefined);
  // The relay's own name leads to every port as well: what is heard there is the cookie without its word.
  expect(new Set(cookies).size).toBe(1);
  const [cookie = ''] = cookies;
  const value = cookie.split('=')[1] ?? '';
  for (const headers of [{ cookie }, { cookie, 'x-agent-relay-session': value }, { authorization: `Bearer ${value}` }]) {
    const answer = (await (await fetch(`${relay.url}/api/me`, { headers })).json()) as { readonly type?: string }; // the principal, or an error
    expect(['anonymous', undefined]).toContain(answer.type);
  }
  await page.reload();
  await page.getByRole('status').getByText('live').waitFor();
});
