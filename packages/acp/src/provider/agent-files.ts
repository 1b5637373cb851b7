import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { RequestError } from '@agentclientprotocol/sdk';
import { messageOf } from 'agent-relay-protocol';
import { openBelow } from 'agent-relay-provider';

/** A file that an agent asks us for. */
export interface AgentFile {
  /** As the agent says it; absolute. */
  readonly path: string;
  /** Where it lies below the session's folder, as links led when it was judged; null where the session may go anywhere. */
  readonly inside: string | null;
}

const longestFile = 16 << 20;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK = 0 } = constants;

export const refused = (message: string): RequestError => RequestError.invalidRequest(undefined, message);

export function assertAbsolute(path: string): void {
  if (!isAbsolute(path)) throw RequestError.invalidParams({ path: 'must be absolute' }, `path ${path} is not absolute`);
}

/** @throws RequestError what keeps it from being read. */
export async function readAgentFile(file: AgentFile, cwd: string): Promise<string> {
  return withFile(openFile(file, cwd, O_RDONLY), file, async (handle, size) => {
    if (size > longestFile) throw refused(`${file.path} is larger than ${longestFile} bytes`);
    return handle.readFile('utf8');
  });
}

/** Answers whether the file is new. @throws RequestError what keeps it from being written. */
export async function writeAgentFile(file: AgentFile, cwd: string, content: string): Promise<boolean> {
  let isNew = true;
  const opened = openFile(file, cwd, O_WRONLY | O_CREAT | O_EXCL).catch(() => {
    isNew = false;
    return openFile(file, cwd, O_WRONLY | O_TRUNC);
  });
  await withFile(opened, file, (handle) => handle.writeFile(content));
  return isNew;
}

async function openFile({ path, inside }: AgentFile, cwd: string, flags: number): Promise<FileHandle> {
  if (inside !== null) return openBelow(cwd, inside, flags);
  if ((flags & O_CREAT) !== 0) await mkdir(dirname(path), { recursive: true });
  // A pipe's other end is not waited for.
  return open(path, flags | O_NONBLOCK, 0o644);
}

async function withFile<T>(
  opened: Promise<FileHandle>,
  { path }: AgentFile,
  work: (handle: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  try {
    const handle = await opened;
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw refused(`${path} is no file`);
      return await work(handle, found.size);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof RequestError ? error : new RequestError(-32_002, messageOf(error));
  }
}
