import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KeptConversations } from '../src/sessions/kept-conversations.ts';
import { tempFolder } from './bridge-world.ts';

test('agents of several kinds that end their turns together keep each the conversation of its own', async () => {
  const kept = new KeptConversations(join(await tempFolder(), 'conversations'));
  const providers = ['claude', 'codex', 'gemini'];
  await Promise.all(providers.map((provider) => kept.keep('p', provider, `of-${provider}`)));
  expect(await Promise.all(providers.map((provider) => kept.find('p', provider)))).toEqual(['of-claude', 'of-codex', 'of-gemini']);
});
