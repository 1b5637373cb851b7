import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const Message = z.looseObject({
  type: z.string(),
  subtype: z.string().optional(),
  result: z.string().optional(),
  is_error: z.boolean().optional(),
  request_id: z.string().optional(),
  request: z.looseObject({ subtype: z.string(), tool_name: z.string().optional(), input: z.unknown().optional() }).optional(),
});
export type ClaudeMessage = z.infer<typeof Message>;

export interface ClaudeSession extends AsyncDisposable {
  readonly messages: readonly ClaudeMessage[];
  prompt(text: string): void;
  /** Prompts and returns the result of the turn. */
  ask(text: string): Promise<ClaudeMessage>;
}

/** The real Claude Code over stdio, every permission granted. */
export function startClaude(
  binary: string,
  { env, cwd, args = [] }: { env: Record<string, string>; cwd: string; args?: readonly string[] },
): ClaudeSession {
  const flags = [
    '--print',
    '--verbose',
    '--output-format',
    'stream-json',
    '--input-format',
    'stream-json',
    '--permission-prompt-tool',
    'stdio',
  ];
  const child = spawn(binary, [...flags, ...args], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const messages: ClaudeMessage[] = [];
  const results: ClaudeMessage[] = [];
  let stderr = '';
  let wake = (): void => undefined;
  const write = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = Message.parse(JSON.parse(line));
    messages.push(message);
    if (message.request?.subtype === 'can_use_tool') {
      const response = { behavior: 'allow', updatedInput: message.request.input };
      write({ type: 'control_response', response: { subtype: 'success', request_id: message.request_id, response } });
    }
    if (message.type === 'result') results.push(message);
    wake();
  });
  void exited.then(() => wake());

  const prompt = (text: string): void => write({ type: 'user', message: { role: 'user', content: text } });
  const ask = async (text: string): Promise<ClaudeMessage> => {
    prompt(text);
    for (;;) {
      const result = results.shift();
      if (result !== undefined) return result;
      if (child.exitCode !== null) throw new Error(`claude ended with ${child.exitCode}: ${stderr}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    messages,
    prompt,
    ask,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
