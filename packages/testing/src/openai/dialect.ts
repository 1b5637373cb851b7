import type { Dialect } from '../model/plan.ts';

/** Codex's names for its own tools. */
export const codexDialect: Dialect = {
  editFile({ path, text }) {
    const lines = text.replace(/\n$/u, '').split('\n');
    // Adding a file that exists replaces it.
    return {
      name: 'apply_patch',
      input: ['*** Begin Patch', `*** Add File: ${path}`, ...lines.map((line) => `+${line}`), '*** End Patch', ''].join('\n'),
    };
  },
  runCommand: (command) => ({ name: 'exec_command', input: { cmd: command, yield_time_ms: 30_000 } }),
  searchWeb: (query) => ({ name: 'web_search', input: { type: 'search', query } }),
  searchInput: (toolName) => ({ query: toolName, limit: 20 }),
};
