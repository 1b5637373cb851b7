import { expect, test } from 'vitest';
import { runHere } from './support/run-command.ts';

/** Nobody is asked: no relay is there. */
const nowhere = ['--url', 'http://127.0.0.1:1', '--token', 'none'];

test.each<[line: string, words: string]>([
  ['logs Worker --all --limit 3', "error: option '--limit <count>' cannot be used with option '--all'"],
  ['approve 7f3a --deny --answer q=Red', "error: option '--deny' cannot be used with option '--answer <id=text>'"],
  ['approve 7f3a --deny --input {}', "error: option '--deny' cannot be used with option '--input <json>'"],
  ['search tests --in messages --tool Bash', 'error: --tool is of what agents did, and --in messages leaves that out'],
  ['search tests --in messages --session s1', 'error: --session is of what agents did, and --in messages leaves that out'],
  ['search tests --in messages --file a.ts', 'error: --file is of what agents did, and --in messages leaves that out'],
  ['spawn claude --name Worker --wake never --idle 5', 'error: --idle goes with --wake resume or --wake fresh'],
  ['send Worker hello --timeout 5', 'error: --timeout goes with --wait'],
  ['pair send 42 hello --body again', 'error: say the text, or --body, and not both'],
  ['pair hangup 42 --from A --agent B', 'error: --from and --agent say the same: who acts; name one'],
  ['/label blue --clear --agent A', 'error: say a label, or --clear, and not both'],
  ['/tags blue red --clear --agent A', 'error: say tags, or --clear, and not both'],
])('what cannot be together is refused by its names, and nobody is asked: %s', async (line, words) => {
  const { code, out, note } = await runHere([...line.split(' '), ...nowhere], { env: { HOME: '/nonexistent' }, cwd: '/' });
  expect({ code, out, note: note.split('\n')[0] }).toEqual({ code: 2, out: '', note: words });
});

test('the same said twice is no contradiction', async () => {
  const line = ['pair', 'hangup', '42', '--from', 'A', '--agent', 'A', ...nowhere];
  expect(await runHere(line, { env: { HOME: '/nonexistent' }, cwd: '/' })).toMatchObject({ code: 3 });
});
