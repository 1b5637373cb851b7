// Records what Parrot really says, for the translator test: `node --conditions=agent-relay-source test/record-fixtures.ts`.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startParrot } from '../src/wire/parrot-process.ts';
import { parrotCommand } from './parrot-harness.ts';

const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'parrot-')));
const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
const parrot = await startParrot({ command: parrotCommand, cwd, env, instructions: '' });
const sent = { id: 'input-1', messageIds: [7], isContext: false };
const lines: unknown[] = [{ sent }];
await parrot.send({ type: 'input', id: sent.id, text: 'write note.txt: hi', when: 'next' });
for await (const frame of parrot.frames) {
  lines.push({ frame: frame.type === 'unknown' ? frame.frame : frame });
  if (frame.type === 'ask') await parrot.send({ type: 'answer', ask: frame.ask, allow: true });
  if (frame.type === 'end') break;
}
await parrot.close();
const text = lines.map((line) => `${JSON.stringify(line)}\n`.replaceAll(cwd, '/home/ada')).join('');
writeFileSync(join(import.meta.dirname, 'fixtures', `${parrot.ready.version}-write.jsonl`), text);
rmSync(cwd, { recursive: true });
