import type { StartOptions } from 'agent-relay-provider';

export interface ExecArgumentsOptions extends Pick<StartOptions, 'mode'> {
  readonly model: string | undefined;
  /** The thread that goes on. */
  readonly threadId: string | null;
  readonly imagePaths: readonly string[];
}

const sandboxes: Readonly<Record<StartOptions['mode'], string>> = {
  safe: 'read-only',
  agentic: 'workspace-write',
  unrestricted: 'danger-full-access',
};

/**
 * The command line of one turn; the prompt comes on stdin. The sandbox and the policy are configuration and not options: `exec` has dropped one of those, and
 * `exec resume` never had them, where a thread would go on in the default sandbox.
 */
export function execArguments({ mode, model, threadId, imagePaths }: ExecArgumentsOptions): string[] {
  return [
    ...['exec', '--json', '--skip-git-repo-check'],
    ...['-c', `sandbox_mode="${sandboxes[mode]}"`, '-c', 'approval_policy="never"'],
    ...(model === undefined ? [] : ['--model', model]),
    ...(threadId === null ? [] : ['resume', threadId]),
    // Takes any number of files: nothing but options may follow it.
    ...imagePaths.flatMap((path) => ['--image', path]),
    ...['--', '-'],
  ];
}
