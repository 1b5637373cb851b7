import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { RelayError } from 'agent-relay-protocol';
import { shellWord } from '../domain/shell-word.ts';
import { writeWhole } from './managed-file.ts';

/** One thing that a plan does to the machine. Plans are made by pure functions; nothing happens before `runSteps`. */
export type Step =
  | { readonly type: 'write'; readonly path: string; readonly text: string; readonly mode: number }
  | { readonly type: 'remove'; readonly path: string }
  | { readonly type: 'run'; readonly command: readonly string[]; readonly mayFail?: boolean };

/** A step as a person would do it. */
export function describeStep(step: Step): string {
  switch (step.type) {
    case 'write':
      return `write ${step.path}`;
    case 'remove':
      return `remove ${step.path}`;
    case 'run':
      return `run   ${shellLine(step.command)}`;
  }
}

/** For a shell, quoted only where it must be. */
export const shellLine = (command: readonly string[]): string => command.map(shellWord).join(' ');

export interface StepEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Carries a plan out, step by step; programs write to our own output. @throws RelayError `unsupported` at the first step that fails. */
export async function runSteps(steps: readonly Step[], environment: StepEnvironment): Promise<void> {
  for (const step of steps) {
    switch (step.type) {
      case 'write':
        writeWhole(step.path, step.text, step.mode);
        break;
      case 'remove':
        rmSync(step.path, { force: true });
        break;
      case 'run': {
        const why = await fault(step.command, environment, step.mayFail === true);
        if (why !== null && step.mayFail !== true) throw new RelayError('unsupported', `${shellLine(step.command)} ${why}`);
      }
    }
  }
}

/** What went wrong, `null` when nothing did. Ctrl-C reaches the program as it reaches us: it ends by itself. */
function fault([program = '', ...args]: readonly string[], { env, signal }: StepEnvironment, isQuiet: boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: isQuiet ? 'ignore' : ['ignore', 'inherit', 'inherit'] });
    child.once('error', (error) => resolve(`cannot be run: ${error.message}`));
    child.once('close', (code) => resolve(code === 0 || signal.aborted ? null : `ended with exit code ${code ?? 'none'}`));
  });
}

/** Standard output of a program that answers within the time; `null` when it fails, hangs or is not there. */
export function outputOf(
  [program = '', ...args]: readonly string[],
  { env }: Pick<StepEnvironment, 'env'>,
  timeoutMs = 15_000,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'], signal: AbortSignal.timeout(timeoutMs) });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
    });
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve(code === 0 ? out : null));
  });
}
