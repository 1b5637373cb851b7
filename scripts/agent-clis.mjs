// Where the pinned agent CLIs are after `node scripts/install-clis.mjs`. For tests: importing this installs nothing.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rootFolder } from './lib/run.mjs';

export const agentsFolder = join(rootFolder, 'tools', 'agents');

const modules = join(agentsFolder, 'node_modules');
const platform = `${process.platform}-${process.arch}`;
const executable = process.platform === 'win32' ? '.exe' : '';
/** @type {Record<string, string>} */
const codexTargets = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  'win32-x64': 'x86_64-pc-windows-msvc',
  'win32-arm64': 'aarch64-pc-windows-msvc',
};

// The native binaries themselves, not the wrappers in .bin: without install scripts Claude's wrapper does not work,
// and Codex's costs 50 ms and a second process.
export const agentClis = Object.freeze({
  claude: join(modules, '@anthropic-ai', `claude-code-${platform}`, `claude${executable}`),
  claude120: join(modules, `claude-code-2.1.120-${platform}`, `claude${executable}`),
  claude197: join(modules, `claude-code-2.1.197-${platform}`, `claude${executable}`),
  claude332: join(modules, `claude-code-2.1.332-${platform}`, `claude${executable}`),
  codex: join(modules, '@openai', `codex-${platform}`, 'vendor', codexTargets[platform] ?? platform, 'bin', `codex${executable}`),
  codex171: join(modules, `codex-0.171.0-${platform}`, 'vendor', codexTargets[platform] ?? platform, 'bin', `codex${executable}`),
  gemini: join(modules, '@google', 'gemini-cli', 'bundle', 'gemini.js'),
  claudeAgentAcp: join(modules, '@agentclientprotocol', 'claude-agent-acp', 'dist', 'index.js'),
  codexAcp: join(modules, '@agentclientprotocol', 'codex-acp', 'dist', 'index.js'),
  opencode: join(modules, `opencode-${platform}`, 'bin', `opencode${executable}`),
});

export function missingAgentClis() {
  return Object.entries(agentClis).flatMap(([name, path]) => (existsSync(path) ? [] : [name]));
}
