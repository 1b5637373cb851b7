import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionEvents } from 'agent-relay-provider';
import { expect, test } from 'vitest';
import { AcpToolGate } from './tool-gate.ts';
import { AcpTranslator } from './translator.ts';

test('a file that another agent has reserved is not written, and the reason is told', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'acp-gate-'));
  try {
    const reserved = join(cwd, 'reserved');
    const asked: unknown[] = [];
    const reservedAgainst = async (use: object) => {
      asked.push(use);
      return JSON.stringify(use).includes('reserved') ? 'Ann has reserved these files' : null;
    };
    const events = new SessionEvents({ cwd });
    const gate = new AcpToolGate({
      isConfined: false,
      rights: { mode: 'unrestricted', approval: 'open', cwd, reservedAgainst },
      relayServers: [],
      translator: new AcpTranslator({ vendor: 'test', relayServers: [] }),
      events,
    });
    const write = (path: string) => {
      const { signal } = new AbortController();
      return gate.write({ sessionId: 's', path, content: 'x' }, { turnId: 't', signal }, signal);
    };
    await expect(write(reserved)).rejects.toThrow('Ann has reserved these files');
    await write(join(cwd, 'free'));
    expect([existsSync(reserved), existsSync(join(cwd, 'free'))]).toEqual([false, true]);
    expect(asked).toMatchObject([{ kind: 'edit', cwd, input: { path: reserved } }, { kind: 'edit' }]);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
