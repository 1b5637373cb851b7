/** What a hook was told by Claude Code, as far as it is passed on. */
export interface HookQuestion {
  /** `wait` keeps the hook until there is something to wake the session with. */
  readonly type: 'event' | 'wait';
  readonly input: Readonly<Record<string, unknown>>;
  /** No person sits at the session. */
  readonly isUnattended?: boolean;
}

/** What the hook does then. */
export interface HookAnswer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

/** No turn runs where a session starts, though one that was killed with the same number may have left a hold; making a conversation shorter is in the middle of one. */
export const beginsAnew = (source: unknown): boolean => source === 'startup' || source === 'resume' || source === 'clear';
