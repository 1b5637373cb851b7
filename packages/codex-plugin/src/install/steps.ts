import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { RelayError } from 'agent-relay-protocol';

/** One thing that is done to the machine. */
export type InstallStep =
  | { readonly type: 'run'; readonly command: readonly string[]; readonly mayFail?: boolean }
  | { readonly type: 'write' | 'append'; readonly path: string; readonly text: string }
  | { readonly type: 'remove'; readonly path: string };

/** A step as a person would do it. */
export function describeInstallStep(step: InstallStep): string {
  switch (step.type) {
    case 'run':
      return `run    ${step.command.join(' ')}`;
    case 'write':
      return `write  ${step.path}`;
    case 'append':
      return `add to ${step.path}: ${step.text.trim()}`;
    case 'remove':
      return `remove ${step.path}`;
  }
}

/** @throws RelayError `unsupported` at the first step that fails, with what the program said. */
export async function runInstallSteps(steps: readonly InstallStep[], env: NodeJS.ProcessEnv): Promise<void> {
  for (const step of steps) {
    switch (step.type) {
      case 'run': {
        const { code, output } = await runProgram(step.command, env);
        if (code !== 0 && step.mayFail !== true) throw new RelayError('unsupported', `${step.command.join(' ')} failed: ${output.trim()}`);
        break;
      }
      case 'write':
        mkdirSync(dirname(step.path), { recursive: true });
        writeFileSync(step.path, step.text);
        break;
      case 'append':
        mkdirSync(dirname(step.path), { recursive: true });
        appendFileSync(step.path, step.text);
        break;
      case 'remove':
        rmSync(step.path, { recursive: true, force: true });
    }
  }
}

export interface ProgramEnd {
  /** Null when it could not be started, or was ended. */
  readonly code: number | null;
  /** Both of its outputs. */
  readonly output: string;
}

const timeoutMs = 300_000;

/** Runs a program to its end. On Windows npm's programs are scripts, which only a shell starts. */
export function runProgram([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const isScript = process.platform === 'win32' && !program.endsWith('.exe');
    const options = { env, stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], signal: AbortSignal.timeout(timeoutMs) };
    const child = isScript
      ? spawn([program, ...args].map((word) => `"${word}"`).join(' '), { ...options, shell: true })
      : spawn(program, args, options);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}
