import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brokenAbilities } from 'agent-relay-provider/testing';
import { tempHome } from 'agent-relay-testing';
import { expect, onTestFinished, test } from 'vitest';
import { acpAgents } from '../src/catalogue.ts';
import { AcpProvider } from '../src/provider/acp-provider.ts';
import { acpAbilities, freeAbilities } from './fake-agent-harness.ts';

test('what each row of the catalogue says of itself is what the contract of its fence holds it to', () => {
  const broken = Object.values(acpAgents).flatMap((agent) =>
    brokenAbilities(new AcpProvider(agent), agent.fence === 'none' ? freeAbilities : acpAbilities),
  );
  expect(broken).toEqual([]);
});

test('a program is asked for its version in the environment in which it is started', async () => {
  const home = await tempHome();
  onTestFinished(() => home.remove());
  const command = join(home.directory, 'gemini');
  await writeFile(command, '#!/bin/sh\necho "0.61.0-$GEMINI_CLI_NO_RELAUNCH$GEMINI_CLI_IDE_SERVER_PORT"\n');
  await chmod(command, 0o755);
  const found = await new AcpProvider(acpAgents.gemini, { command }).detect({ GEMINI_CLI_IDE_SERVER_PORT: '7' });
  expect(found).toEqual({ available: true, version: '0.61.0-1', command });
});
