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
