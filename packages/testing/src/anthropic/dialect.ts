import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ModelRequest } from '../model/model-request.ts';
import type { Dialect } from '../model/plan.ts';

/** Claude Code's names for its own tools. */
export const claudeDialect: Dialect = {
  editFile({ path, text }, request) {
    const file = resolve(workingFolder(request), path);
    const write = { name: 'Write', input: { file_path: file, content: text.endsWith('\n') ? text : `${text}\n` } };
    // Claude refuses to overwrite a file that the session has not read.
    return existsSync(file) ? { ...write, after: { key: `read:${file}`, name: 'Read', input: { file_path: file } } } : write;
  },
  runCommand: (command) => ({ name: 'Bash', input: { command, description: 'Run a command' } }),
  searchInput: (toolName) => ({ query: toolName, max_results: 10 }),
};

/** OpenCode's names for its own tools. It takes paths that are relative to the session's folder. */
export const openCodeDialect: Dialect = {
  editFile: ({ path, text }) => ({ name: 'write', input: { filePath: path, content: text.endsWith('\n') ? text : `${text}\n` } }),
  runCommand: (command) => ({ name: 'bash', input: { command, description: 'Run a command' } }),
  searchInput: (toolName) => ({ query: toolName }),
};

/** The session's folder, which the CLI tells the model in its environment notes. */
function workingFolder({ system, conversation }: ModelRequest): string {
  const notes = conversation.flatMap((entry) => (entry.kind === 'context' ? [entry.text] : []));
  for (const text of [system, ...notes]) {
    const folder = /working directory: (.+)$/imu.exec(text)?.[1];
    if (folder !== undefined) return folder.trim();
  }
  throw new Error('The request does not say in which folder the session works; give editFile an absolute path.');
}
