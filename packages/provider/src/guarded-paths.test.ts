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
    'src/head/a.ts',
    'HEAD.md',
    '',
  ])('is not %j', (path) => {
    expect(guardedPart(path)).toBeNull();
  });

  test('is named as it was written', () => {
    expect(guardedPart('sub/.Claude/x')).toBe('.Claude');
  });
});
