const KEY = 'agent-relay-notices';

/** What was chosen in this browser; nothing is on before somebody turns it on. */
export interface NoticeChoice {
  readonly isShown: boolean;
  readonly isHeard: boolean;
}

export function readNoticeChoice(): NoticeChoice {
  const words = new Set((window.localStorage.getItem(KEY) ?? '').split(' '));
  return { isShown: words.has('shown'), isHeard: words.has('heard') };
}

export function keepNoticeChoice({ isShown, isHeard }: NoticeChoice): void {
  window.localStorage.setItem(KEY, [isShown ? 'shown' : '', isHeard ? 'heard' : ''].join(' ').trim());
}
