import { isLongerThan, MAX_BODY_LENGTH, parseAddress } from 'agent-relay-protocol';

/** What a line of an agent's answer asks the relay for. `line` counts from 1 within the answer. */
export type TextTrigger =
  | { readonly type: 'message'; readonly line: number; readonly target: string; readonly body: string }
  | { readonly type: 'file'; readonly line: number; readonly name: string }
  | { readonly type: 'invalid'; readonly line: number; readonly reason: string };

const fenceStart = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/u;
const messageStart = /^->relay:(\S+)(?:[ \t]+(.*))?$/u;
const fileStart = /^->relay-file:(.*)$/u;

/**
 * Finds the triggers in one finished answer, in order. A trigger begins at the very start of a line outside code fences:
 * `->relay:Target text to the end of the line`, `->relay:Target <<<` with a body up to a line `>>>`, and `->relay-file:name`.
 * What begins like one and is none comes back as `invalid`, so that the agent can be told.
 */
export function parseTextTriggers(answer: string): readonly TextTrigger[] {
  const lines = answer.split(/\r?\n/u);
  const triggers: TextTrigger[] = [];
  let fence: string | null = null;
  for (let index = 0; index < lines.length; index += 1) {
    const text = lines[index] ?? '';
    if (fence !== null) {
      if (closesFence(text, fence)) fence = null;
      continue;
    }
    fence = fenceStart.exec(text)?.[1] ?? null;
    if (fence !== null) continue;
    const file = fileStart.exec(text);
    if (file) triggers.push(fileTrigger((file[1] ?? '').trim(), index + 1));
    const message = messageStart.exec(text);
    if (!message) continue;
    const target = message[1] ?? '';
    const rest = (message[2] ?? '').trim();
    if (!rest.startsWith('<<<')) {
      triggers.push(messageTrigger(target, rest, index + 1));
      continue;
    }
    const block = readBlock(lines, index, rest.slice(3).trim());
    triggers.push(
      block.isClosed
        ? messageTrigger(target, block.body, index + 1)
        : { type: 'invalid', line: index + 1, reason: `The message to ${target} begins with <<< and has no line >>> that ends it` },
    );
    index = block.lastIndex;
  }
  return triggers;
}

/** As CommonMark has it: the same character, at least as many, and nothing after them. */
function closesFence(text: string, fence: string): boolean {
  const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/u.exec(text)?.[1];
  return closing !== undefined && closing[0] === fence[0] && closing.length >= fence.length;
}

function readBlock(lines: readonly string[], startIndex: number, firstLine: string) {
  if (firstLine.endsWith('>>>')) return { body: firstLine.slice(0, -3).trim(), lastIndex: startIndex, isClosed: true };
  const body = firstLine === '' ? [] : [firstLine];
  for (let index = startIndex + 1; index < lines.length; index += 1) {
    const text = lines[index] ?? '';
    if (text.trim() === '>>>') return { body: body.join('\n'), lastIndex: index, isClosed: true };
    body.push(text);
  }
  return { body: '', lastIndex: lines.length, isClosed: false };
}

function messageTrigger(target: string, body: string, line: number): TextTrigger {
  if (parseAddress(target) === null) return { type: 'invalid', line, reason: `${target.slice(0, 100)} is not an address` };
  if (body.trim() === '') return { type: 'invalid', line, reason: `The message to ${target} is empty` };
  if (isLongerThan(body, MAX_BODY_LENGTH))
    return { type: 'invalid', line, reason: `The message to ${target} is longer than ${MAX_BODY_LENGTH} characters` };
  return { type: 'message', line, target, body };
}

function fileTrigger(name: string, line: number): TextTrigger {
  return name === '' ? { type: 'invalid', line, reason: '->relay-file: needs the name of a file' } : { type: 'file', line, name };
}
