import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { UseDoor } from './use-door.ts';

const HooksSchema = z.looseObject({ PreToolUse: z.tuple([z.looseObject({ hooks: z.tuple([z.looseObject({ command: z.string() })]) })]) });
const use = JSON.stringify({ cwd: '/w', tool_name: 'Bash', tool_use_id: 'u', tool_input: { command: 'rm kept' } });

let door: UseDoor | undefined;
const made: string[] = [];
async function open(): Promise<string> {
  door = await UseDoor.for({ mode: 'agentic', reservedAgainst: async () => null });
  if (door === undefined) throw new Error('no door');
  return HooksSchema.parse(door.hooks).PreToolUse[0].hooks[0].command;
}
afterEach(async () => {
  vi.unstubAllEnvs();
  await door?.close();
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

/** As Codex runs it: its exit code, and what it says. */
async function run(command: string): Promise<readonly [code: number, said: string]> {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.end(use);
  const [code] = await once(child, 'close');
  return [code, said];
}

const posix = test.runIf(process.platform !== 'win32');

posix.each(['a'.repeat(100), "it's here", '$HOME`x`', 'größe'])(
  'the hook asks, whatever the temporary folder is called: %s',
  async (name) => {
    const temporary = mkdtempSync(join(tmpdir(), `${name}-`));
    made.push(temporary);
    vi.stubEnv('TMPDIR', temporary);
    const command = await open();
    if (door) door.judge = async ({ input }) => (input['command'] === 'rm kept' ? 'Ann has it' : null);
    expect(await run(command)).toEqual([2, 'Ann has it']);
  },
);

posix('whoever says much and never ends is let go, and others are answered', async () => {
  const command = await open();
  const [path = ''] = door?.files.write ?? [];
  const mib = Buffer.alloc(1 << 20, 'x');
  let closed = 0;
  const sockets = Array.from({ length: 8 }, (): Socket => {
    const socket = connect(join(path, 'hook.sock'));
    socket.on('error', () => {});
    socket.once('close', () => {
      closed += 1;
    });
    for (let sent = 0; sent < 15; sent += 1) socket.write(mib);
    return socket;
  });
  await expect.poll(() => closed, { timeout: 30_000 }).toBeGreaterThanOrEqual(4);
  for (const socket of sockets) socket.destroy();
  if (door) door.judge = async () => 'Ann has it';
  await expect.poll(() => run(command), { timeout: 30_000 }).toEqual([2, 'Ann has it']);
});
