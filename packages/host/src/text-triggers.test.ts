import { describe, expect, it } from 'vitest';
import { parseTextTriggers } from './text-triggers.ts';

describe('text triggers in an answer', () => {
  it('a line at the very start names a target and carries the rest of the line', () => {
    expect(parseTextTriggers('I will ask.\n->relay:Worker please   run the tests \nDone.')).toEqual([
      { type: 'message', line: 2, target: 'Worker', body: 'please   run the tests' },
    ]);
  });

  it('several triggers of one answer keep their order', () => {
    const answer = '->relay:A one\ntext\n->relay:#deploy two\n->relay-file:three.txt\n->relay:tag:backend four';
    expect(parseTextTriggers(answer)).toEqual([
      { type: 'message', line: 1, target: 'A', body: 'one' },
      { type: 'message', line: 3, target: '#deploy', body: 'two' },
      { type: 'file', line: 4, name: 'three.txt' },
      { type: 'message', line: 5, target: 'tag:backend', body: 'four' },
    ]);
  });

  it('<<< takes the lines up to >>> with their blank lines, fences and look-alikes', () => {
    const answer = '->relay:Worker <<<\nfirst\n\n```\n->relay:Other no\n```\n  >>>\n->relay:Last yes';
    expect(parseTextTriggers(answer)).toEqual([
      { type: 'message', line: 1, target: 'Worker', body: 'first\n\n```\n->relay:Other no\n```' },
      { type: 'message', line: 8, target: 'Last', body: 'yes' },
    ]);
  });

  it('<<< may begin and end on its own line', () => {
    expect(parseTextTriggers('->relay:A <<< short >>>\n->relay:B <<< begins\nends\n>>>')).toEqual([
      { type: 'message', line: 1, target: 'A', body: 'short' },
      { type: 'message', line: 2, target: 'B', body: 'begins\nends' },
    ]);
  });

  it('a block that never ends is said to be unfinished and sends nothing', () => {
    expect(parseTextTriggers('->relay:Worker <<<\n->relay:Other inside\nend')).toEqual([
      { type: 'invalid', line: 1, reason: 'The message to Worker begins with <<< and has no line >>> that ends it' },
    ]);
  });

  it.each([
    ['backticks', '```sh\n->relay:A no\n```'],
    ['tildes', '~~~\n->relay:A no\n~~~'],
    ['a longer fence around a shorter one', '````md\n```\n->relay:A no\n```\n->relay:A no\n````'],
    ['tildes around backticks', '~~~\n```\n~~~~ not a closing line\n->relay:A no\n~~~'],
    ['a fence that never closes', '```\n->relay:A no'],
    ['an indented fence', '   ```\n->relay:A no\n   ```'],
  ])('nothing inside %s is a trigger', (_title, answer) => {
    expect(parseTextTriggers(answer)).toEqual([]);
  });

  it('what follows a closed fence counts again', () => {
    expect(parseTextTriggers('```\n->relay:A no\n```\n->relay:A yes')).toEqual([{ type: 'message', line: 4, target: 'A', body: 'yes' }]);
  });

  it('inline code that begins with three backticks opens no fence', () => {
    expect(parseTextTriggers('```code``` in a line\n->relay:A yes')).toEqual([{ type: 'message', line: 2, target: 'A', body: 'yes' }]);
  });

  it('line ends of Windows leave no carriage return behind', () => {
    expect(parseTextTriggers('->relay:A <<<\r\none\r\ntwo\r\n>>>\r\n->relay-file:note.txt\r\n')).toEqual([
      { type: 'message', line: 1, target: 'A', body: 'one\ntwo' },
      { type: 'file', line: 5, name: 'note.txt' },
    ]);
  });

  it('targets may be written in any script', () => {
    expect(parseTextTriggers('->relay:Müller-工人 grüß dich')).toEqual([
      { type: 'message', line: 1, target: 'Müller-工人', body: 'grüß dich' },
    ]);
  });

  it('anything before the arrow makes it ordinary text', () => {
    expect(parseTextTriggers(' ->relay:A no\n> ->relay:A no\n`->relay:A no`\n- ->relay:A no')).toEqual([]);
  });

  it('an empty message, a bad address and a file without a name are each explained', () => {
    expect(parseTextTriggers('->relay:Worker\n->relay:bad:address:here text\n->relay-file:   ')).toEqual([
      { type: 'invalid', line: 1, reason: 'The message to Worker is empty' },
      { type: 'invalid', line: 2, reason: 'bad:address:here is not an address' },
      { type: 'invalid', line: 3, reason: '->relay-file: needs the name of a file' },
    ]);
  });

  it('a body beyond the limit is refused', () => {
    expect(parseTextTriggers(`->relay:A ${'x'.repeat(64 * 1024 + 1)}`)).toEqual([
      { type: 'invalid', line: 1, reason: 'The message to A is longer than 65536 characters' },
    ]);
  });
});
