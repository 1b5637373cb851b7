import type { Approval, Pair } from 'agent-relay-protocol';
import type { ReactNode } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { type Connection, createConnection } from '../live/connection.ts';
import { ConnectionContext } from '../live/use-connection.ts';
import { ActivityBlockView } from './activity-block.tsx';
import { kindWords, outcomeOf } from './approvals/approval-words.ts';
import { directionWords } from './channels/channel-detail.tsx';
import { ruleWords } from './holds/hold-words.ts';
import { known } from './known.ts';
import { PairMark } from './pairs/pair-looks.tsx';
import { PresenceDot } from './presence-dot.tsx';
import { receiptLook } from './receipt-list.tsx';
import { TaskStatusMark, taskEventWord } from './tasks/task-looks.tsx';

/** What a relay of a later version says is none of the words that the types name. */
const later = (word: string): never => word as never;
/** A relay that is there, and of which nothing is read. */
const connection = createConnection('http://127.0.0.1:1', () => 0);
const live: Connection = { ...connection, getState: () => ({ status: 'live' }) };
const markup = (node: ReactNode): string => renderToStaticMarkup(<ConnectionContext value={live}>{node}</ConnectionContext>);
const text = (node: ReactNode): string => markup(node).replace(/<[^>]*>/gu, '');

test('a table answers for its own words alone', () => {
  const table = { open: 1 };
  expect(['open', 'shut', 'constructor', 'toString'].map((word) => known(table, word, () => 0))).toEqual([1, 0, 0, 0]);
});

test('words that this page does not know are shown as they are', () => {
  const pair = { id: 1, requester: 'A', target: 'B', objective: 'Talk', requestedAt: 0 };
  const ended: Pair = { ...pair, status: 'ended', acceptedAt: null, endedAt: 1, endedBy: 'A', cause: later('eclipse'), reason: null };
  const block = { key: 'k', at: 0, turnId: null } as const;
  expect([
    text(<TaskStatusMark status={later('postponed')} />),
    text(<PairMark pair={{ ...pair, status: later('paused') }} />),
    text(<PairMark pair={ended} />),
    text(
      <ActivityBlockView
        block={{
          ...block,
          kind: 'tool',
          name: 'Bash',
          title: 'ls',
          input: null,
          parentKey: null,
          exitCode: null,
          output: '',
          outcome: later('postponed'),
        }}
      />,
    ),
    text(<ActivityBlockView block={{ ...block, kind: 'plan', steps: [{ step: 'Rest', status: later('asleep') }] }} />),
    taskEventWord('task.dreamt'),
    kindWords('browse'),
    ruleWords('moonlight').word,
    directionWords('sideways'),
    receiptLook('pondered').meaning,
  ]).toEqual([
    '? postponed',
    '? paused',
    '– eclipse: A',
    'postponedBashls',
    '(asleep) Rest',
    'task.dreamt',
    'asks (browse)',
    'moonlight',
    'sideways',
    'pondered',
  ]);
  expect(markup(<PresenceDot status={later('dreaming')} />)).toContain('bg-soft');
});

test('an answer of a kind that this page does not know is neither a yes nor a no', () => {
  const answered: Approval = {
    approvalId: 'a',
    agentId: 'Worker',
    sessionId: 's',
    kind: 'execute',
    title: 'ls',
    requestedAt: 0,
    resolvedAt: 1,
    status: later('postponed'),
    by: 'owner',
    message: null,
  };
  expect(outcomeOf(answered)).toEqual({ mark: '?', tone: 'soft', words: 'postponed by owner', detail: null });
});
