import type { Dialect } from '../model/plan.ts';

/** Gemini CLI's names for its own tools. It takes paths that are relative to the session's folder. */
export const geminiDialect: Dialect = {
  editFile: ({ path, text }) => ({ name: 'write_file', input: { file_path: path, content: text.endsWith('\n') ? text : `${text}\n` } }),
  runCommand: (command) => ({ name: 'run_shell_command', input: { command, description: 'Run a command' } }),
  searchInput: (toolName) => ({ query: toolName }),
};
