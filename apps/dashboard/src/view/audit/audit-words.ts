import type { AuditEntry } from 'agent-relay-protocol';
import { known } from '../known.ts';

const words: Readonly<Record<string, string>> = {
  'agents/approval': 'set the approval mode of',
  'agents/interrupt': 'interrupted',
  'agents/label': 'named',
  'agents/register': 'registered',
  'agents/release': 'released',
  'agents/remove': 'removed',
  'agents/tags': 'set the tags of',
  'approvals/resolve': 'answered',
  'callbacks/redeliver': 'sent again callback',
  'channels/bind': 'bound a conversation of',
  'channels/unbind': 'unbound a conversation of',
  'holds/refuse': 'refused held message',
  'holds/release': 'released held message',
  'hooks/remove': 'took out the hook',
  'hooks/set': 'wrote a hook',
  'hooks/test': 'tried the hook',
  'login/create': 'made a login link',
  'messages/remove': 'removed message',
  'messages/send': 'steered',
  'nodes/pair': 'let a machine in',
  'nodes/remove': 'removed the machine',
  'nodes/rename': 'renamed the machine',
  'push/subscribe': 'had a device notified',
  'push/unsubscribe': 'ended the notices of a device',
  'rules/create': 'made a standing rule for',
  'rules/revoke': 'revoked rule',
  'sessions/invite': 'invited',
  'sessions/start': 'started',
  'shares/create': 'made a link to a log of',
  'shares/revoke': 'revoked the link',
  'tokens/create': 'made the token',
  'tokens/revoke': 'revoked the token',
};

/** What was done, for people; an operation without words of its own by its name. */
export const actWords = (action: string): string => known(words, action, (name) => name);

/** Where what it was about is shown; null where no page shows it. */
export function subjectPage({ action, subject, details }: Pick<AuditEntry, 'action' | 'subject' | 'details'>): string | null {
  if (subject === null) return null;
  const [noun = ''] = action.split('/');
  const isNumber = /^[1-9]\d{0,14}$/u.test(subject);
  if (noun === 'messages' && isNumber) return `/messages/${subject}`;
  if (noun === 'tasks' && isNumber) return `/tasks/${subject}`;
  if (noun === 'channels') return `/channels/${encodeURIComponent(subject)}`;
  // What has a name of its own says beside it whose it is.
  const isOfAgent = noun === 'agents' || noun === 'sessions' || action === 'approvals/resolve' || details['agent'] === subject;
  return isOfAgent && !/[:#]/u.test(subject) ? `/agents/${encodeURIComponent(subject)}` : null;
}

/** What else was asked, in a line; what it was about stands before it. */
export const detailWords = ({ subject, details }: Pick<AuditEntry, 'subject' | 'details'>): string =>
  Object.entries(details)
    .filter(([, value]) => value !== subject)
    .map(([name, value]) => `${name} ${wordsOf(value)}`)
    .join(' · ');

/** A value that was asked for: a word, a number, or a list of words. */
const wordsOf = (value: AuditEntry['details'][string]): string =>
  Array.isArray(value) ? value.map((part) => wordsOf(part)).join(', ') : typeof value === 'string' ? value : JSON.stringify(value);
