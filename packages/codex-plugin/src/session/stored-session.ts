import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSameProcess } from 'agent-relay-wire/node';
import { z } from 'zod';
import { sessionFolder } from './session-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const StoredSessionSchema = z.object({
  agentId: z.string(),
  url: z.string(),
  /** The agent's own. */
  token: z.string(),
  instanceId: z.string(),
  epoch: z.int(),
  /** The process that brings it its mail live, where there is one. */
  livePid: z.int().optional(),
  /** Tells that process from a later one of its number, where the system can. */
  liveStartedAt: z.string().optional(),
});
/** The agent that a plain Codex session is, as its hooks, tools and shells find it by the id of its conversation. */
export type StoredSession = z.infer<typeof StoredSessionSchema>;

/** @throws ZodError, SyntaxError for what is none. */
export const parseSession = (text: string): StoredSession => StoredSessionSchema.parse(JSON.parse(text));

export function readSession(env: Environment, threadId: string): StoredSession | null {
  const folder = sessionFolder(env, threadId);
  if (folder === null) return null;
  try {
    return StoredSessionSchema.safeParse(JSON.parse(readFileSync(join(folder, 'agent.json'), 'utf8'))).data ?? null;
  } catch {
    return null; // none was registered, or what lies there is no session of ours
  }
}

export const writeSession = (env: Environment, threadId: string, session: StoredSession): void =>
  writeSessionFile(env, threadId, { name: 'agent.json', content: JSON.stringify(session) });

/** All of it or nothing, also where hooks run side by side. @throws what the disk says. */
export function writeSessionFile(env: Environment, threadId: string, file: { readonly name: string; readonly content: string }): void {
  const folder = sessionFolder(env, threadId);
  if (folder === null) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, file.name);
  const written = `${path}.${process.pid}.new`;
  writeFileSync(written, file.content, { mode: 0o600 });
  renameSync(written, path);
}

export function forgetSession(env: Environment, threadId: string): void {
  const folder = sessionFolder(env, threadId);
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
}

/** Whether another process has the agent, and brings its mail at any time. */
export async function isLive({ livePid, liveStartedAt }: StoredSession): Promise<boolean> {
  if (livePid === undefined) return false;
  if (liveStartedAt !== undefined) return await isSameProcess({ pid: livePid, startedAt: liveStartedAt });
  try {
    return process.kill(livePid, 0);
  } catch {
    return false; // it is gone
  }
}
