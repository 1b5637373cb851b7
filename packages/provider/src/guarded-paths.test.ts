import { describe, expect, test } from 'vitest';
import { guardedPart } from './guarded-paths.ts';

describe('what no agent may write by its mode alone', () => {
  test.each([
    ...['.git/config', 'sub/.git/hooks/pre-commit', '.GIT/config', '.gitmodules', '.githooks/pre-push', '.husky/pre-commit', '.gitconfig'],
    ...[
      '.claude/settings.json',
      '.claude.json',
      'sub/.mcp.json',
      '.codex/config.toml',
      '.agents/skills/x/SKILL.md',
      '.gemini/settings.json',
    ],
    ...['.bashrc', '.bash_profile', '.zshenv', '.profile', '.config/fish/config.fish', '.config/git/config'],
    ...['HEAD', 'sub/HEAD', 'head'],
    ...['.env', 'sub/.env', '.ENV', '.env.local', '.env.production', '.env.example.local', '.env::$DATA', '.env.'],
    ...['.mkshrc', '.config/nushell/config.nu', '.CONFIG/git/config', 'Documents/PowerShell/Microsoft.PowerShell_profile.ps1'],
    ...['.cursor/mcp.json', '.vscode/tasks.json', '.windsurf/hooks.json', '.kiro/hooks/x.json', '.roo/mcp.json', '.qwen/settings.json'],
    ...['opencode.json', '.opencode/plugin/x.ts', 'crush.json', '.aider.conf.yml', '.devcontainer/devcontainer.json', '.devcontainer.json'],
    ...['.agent-relay/node.yaml', '.agent-relay/relay.db', '.config/agent-relay/x', '.local/share/agent-relay/x'],
    ...['.local/state/agent-relay/codex-relay-processes/x.json', '.LOCAL/State/Agent-Relay/x'],
    ...['.envrc', '.bashrc.d/x.sh', '.oh-my-zsh/custom/x.zsh', '.ssh/rc', '.local/share/fish/vendor_conf.d/x.fish', '.config/xonsh/rc.py'],
    ...['.pre-commit-config.yaml', 'lefthook.yml', '.lefthook-local.yml', '.exrc', '.nvim.lua', 'a.code-workspace', '.config/Code/User/x'],
    ...['.codebuddy/settings.json', '.openhands/setup.sh', '.trae/mcp.json', '.junie/mcp/mcp.json', '.clinerules/hooks/x', '.config/amp/x'],
    ...['.git::$INDEX_ALLOCATION/config', '.git:$I30:$INDEX_ALLOCATION/config', '.git. ::$INDEX_ALLOCATION/config', 'C:.git/config'],
    ...['.claude.json::$DATA', 'HEAD::$DATA', '.mcp.json:$DATA', '.config::$INDEX_ALLOCATION/fish/config.fish'],
    ...['CLAUDE~1/settings.json', 'claude~2.jso', 'MCP~1.JSO', 'GITCON~1', 'BASH_P~1', 'GI7EB8~1', 'CODEX~12/config.toml', 'GIT~1./config'],
    ...['.git./config', '.git /config', '.g\u200cit/config', '.claude\\settings.json', 'GIT~1/config', '．git/config'],
  ])('is %j', (path) => {
    expect(guardedPart(path)).toEqual(expect.any(String));
  });

  test.each([
    'a.txt',
    'git/x',
    'src/fish/a.ts',
    '.github/workflows/ci.yml',
    '.gitignore',
    'claude.md',
    'my.git/x',
    '.config/app.json',
    ...['agent-relay/src/a.ts', 'state/agent-relay/x', '.agent-relays/x'],
    'src/head/a.ts',
    'HEAD.md',
    'notes: today.md',
    'src/vscode/a.ts',
    'opencode/a.ts',
    'src/crush.ts',
    'src/code/a.ts',
    'share/fish/a.ts',
    'envrc',
    ...['.env.example', 'sub/.env.sample', '.env.template', '.env.dist', 'src/env.ts', 'app.env', '.environment'],
    'a.txt~',
    'report~draft.md',
    '#a.txt.~1~',
    '',
  ])('is not %j', (path) => {
    expect(guardedPart(path)).toBeNull();
  });

  test('is named as it was written', () => {
    expect(guardedPart('sub/.Claude/x')).toBe('.Claude');
  });
});
