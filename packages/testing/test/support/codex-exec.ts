import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const Event = z.looseObject({
  type: z.string(),
  message: z.string().optional(),
  item: z
    .looseObject({ type: z.string(), text: z.string().optional(), status: z.string().optional(), aggregated_output: z.string().optional() })
    .optional(),
  error: z.looseObject({ message: z.string() }).optional(),
});

export interface CodexRun {
  readonly exitCode: number | null;
  readonly events: readonly z.infer<typeof Event>[];
  /** What the agent said last. */
  readonly answer: string | undefined;
}

/** Runs the real `codex exec` for one prompt. */
export async function runCodex(
  binary: string,
  { prompt, env, cwd, config = [] }: { prompt: string; env: Record<string, string>; cwd: string; config?: readonly string[] },
): Promise<CodexRun> {
  const overrides = config.flatMap((setting) => ['-c', setting]);
  const args = ['exec', '--json', '--skip-git-repo-check', '-s', 'workspace-write', ...overrides, '--', prompt];
  const child = spawn(binary, args, { env, cwd, stdio: ['ignore', 'pipe', 'ignore'], timeout: 120_000, killSignal: 'SIGKILL' });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const output = await text(child.stdout);
  const events = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Event.parse(JSON.parse(line)));
  const answer = events.findLast(({ type, item }) => type === 'item.completed' && item?.type === 'agent_message')?.item?.text;
  return { exitCode: await exit, events, answer };
}
