import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RELAY_VERSION } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { rulesText } from '../src/install/places.ts';

const plugin = fileURLToPath(new URL('../marketplace/plugins/agent-relay', import.meta.url));
const read = (path: string): string => readFileSync(`${plugin}/${path}`, 'utf8');
const commands = ['disconnect', 'label', 'message', 'pair', 'send-claimable', 'status', 'tags'];

test('the plugin has the version of the relay: Codex keeps a copy under it', () => {
  expect(JSON.parse(read('.codex-plugin/plugin.json')).version).toBe(RELAY_VERSION);
});

test('each skill runs its own command, and the rules let these out and nothing else', () => {
  expect(readdirSync(`${plugin}/skills`).toSorted()).toEqual(commands);
  for (const name of commands) {
    expect(read(`skills/${name}/SKILL.md`)).toContain(`name: ${name}\n`);
    expect(read(`skills/${name}/SKILL.md`)).toMatch(new RegExp(`^agent-relay-codex run /${name}\\b`, 'mu'));
  }
  const rules = rulesText('/opt/bin/agent-relay-codex');
  expect(rules.match(/^prefix_rule\(pattern = \[.*?, \[/gmu)).toEqual(['prefix_rule(pattern = ["/opt/bin/agent-relay-codex", "run", [']);
  const allowed = [...rules.matchAll(/"\/([\w-]+)"/gu)].map(([, name]) => name);
  expect([...new Set(allowed)].toSorted()).toEqual(commands);
});
