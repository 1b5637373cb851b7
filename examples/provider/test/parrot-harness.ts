import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProviderAbilities, ProviderHarness } from 'agent-relay-provider/testing';
import { ParrotProvider } from '../src/provider/parrot-provider.ts';

export const parrotCommand = fileURLToPath(new URL('../parrot.mjs', import.meta.url));

export const parrotAbilities: ProviderAbilities = { steersRunningTurn: true, addsContextOnly: true, strongestEvidence: 'seen' };

/** Parrot needs no fake model: what it was told is in its transcript. */
export async function parrotHarness(): Promise<ProviderHarness> {
  const folder = () => realpathSync(mkdtempSync(join(tmpdir(), 'parrot-')));
  const [cwd, outside] = [folder(), folder()];
  const transcript = join(outside, 'transcript.jsonl');
  return {
    provider: new ParrotProvider({ command: parrotCommand }),
    notInstalled: { provider: new ParrotProvider(), env: { PATH: cwd } },
    cwd,
    outside,
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, PARROT_TRANSCRIPT: transcript },
    prompts: {
      say: (text) => text,
      slow: 'count 200',
      editFile: (path, text) => `write ${path}: ${text}`,
      runCommand: (command) => `run ${command}`,
    },
    wasModelSent: (text) => existsSync(transcript) && readFileSync(transcript, 'utf8').includes(JSON.stringify(text).slice(1, -1)),
    forgiveModel: () => {},
    close: async () => {
      for (const each of [cwd, outside]) rmSync(each, { recursive: true, force: true });
    },
  };
}
