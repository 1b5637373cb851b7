import { expect, test } from 'vitest';
import { hasBrowser } from '../support/browser.ts';
import { openDashboard } from './support.ts';

test.skipIf(!hasBrowser)('who signs out is out, in every window of the browser, and the session that was is good nowhere', async () => {
  await using world = await openDashboard();
  const { owner, relay } = world;
  await owner.agents.register({ name: 'Worker' });
  const page = await world.openPage('/tasks');
  const another = await page.context().newPage();
  await another.goto(relay.url);
  await another.getByText('Worker').first().waitFor();
  const [session] = await page.context().cookies();
  const me = () => fetch(`${relay.url}/api/me`, { headers: { cookie: `${session?.name}=${session?.value}` } });
  expect(await (await me()).json()).toMatchObject({ type: 'owner' });

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('This browser is not signed in.').waitFor();
  await another.getByText('This browser is not signed in.').waitFor();
  expect(await page.context().cookies()).toEqual([]);
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
  expect(await page.context().cookies()).toEqual([]);
  expect((await world.owner.tokens.list()).data.map((known) => known.tokenId)).toContain(tokenId);
  await signIn();
});
