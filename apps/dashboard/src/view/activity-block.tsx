import { Link } from '@tanstack/react-router';
import { type EnvelopePart, readEnvelopes } from 'agent-relay-client';
import { memo, type ReactNode, use } from 'react';
import type { ActivityBlock } from '../relay/activity-blocks.ts';
import { AgentLink } from './agent-link.tsx';
import { Ago } from './ago.tsx';
import { DiffView } from './diff-view.tsx';
import { Fold } from './fold.tsx';
import { formatUsage } from './format.ts';
import { known } from './known.ts';
import { LeadsNowhere } from './leads-nowhere.ts';
import { Markdown } from './markdown.tsx';
import { ToolCallView } from './tool-call.tsx';

type BlockOf<Kind extends ActivityBlock['kind']> = Extract<ActivityBlock, { readonly kind: Kind }>;
type SaidBlock = Extract<ActivityBlock, { readonly isStreaming: boolean }>;

const tones = { info: 'text-soft', warning: 'text-warn', error: 'text-bad' } as const;
const steps = { pending: '○', active: '◐', done: '●' } as const;

const showBlock = (block: ActivityBlock): ReactNode => <ActivityBlockView block={block} />;

/** Drawn again when its block is another one: while a log is scrolled most of what is in sight stays as it is. */
export const ActivityBlockView = memo(function ActivityBlockView({ block }: { readonly block: ActivityBlock }) {
  switch (block.kind) {
    case 'prompt':
      return <Prompt block={block} />;
    case 'text':
      return (
        <div data-block="text">
          <Markdown text={block.text} />
          {block.isStreaming ? <span className="ml-0.5 inline-block h-4 w-1.5 animate-pulse bg-accent align-text-bottom" /> : null}
        </div>
      );
    case 'reasoning':
      return <Reasoning block={block} />;
    case 'tool':
      return <ToolCallView block={block} show={showBlock} />;
    case 'files':
      return <Files block={block} />;
    case 'plan':
      return (
        <ol className="text-soft text-xs" data-block="plan">
          {block.steps.map(({ step, status }) => (
            <li key={step}>
              {known<string>(steps, status, (word) => `(${word})`)} {step}
            </li>
          ))}
        </ol>
      );
    case 'turn':
      return <Turn block={block} />;
    case 'notice':
      return (
        <p className={`flex gap-2 text-xs ${tones[block.tone]}`}>
          <span className="min-w-0 grow [overflow-wrap:anywhere]">{block.text}</span>
          <Ago at={block.at} />
        </p>
      );
  }
});

/** What it was asked: messages of the relay as what they are, by whom, and the words beside them. */
const Prompt = ({ block: { text, at, messageIds } }: { readonly block: BlockOf<'prompt'> }) => {
  const parts = readEnvelopes(text);
  const told = new Set(parts.flatMap((part) => (part.type === 'message' ? [part.id] : [])));
  const untold = messageIds.filter((id) => !told.has(id));
  const when = (
    <span className="ml-auto">
      <Ago at={at} />
    </span>
  );
  // Where the first thing said is a message, its line has the room.
  const isBeside = untold.length === 0 && parts[0]?.type === 'message';
  return (
    <blockquote className="grid gap-2 rounded-lg border-accent border-l-2 bg-raised px-3 py-2" data-block="prompt">
      {isBeside ? null : (
        <p className="flex flex-wrap gap-x-2 text-soft text-xs">
          {untold.map((id) => (
            <MessageLink key={id} id={id} />
          ))}
          {when}
        </p>
      )}
      {parts.map((part, index) => (
        <div key={index}>
          {part.type === 'text' ? null : <Handed part={part} when={isBeside && index === 0 ? when : null} />}
          <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{part.text}</p>
        </div>
      ))}
    </blockquote>
  );
};

function MessageLink({ id }: { readonly id: number }) {
  if (use(LeadsNowhere)) return <span>message {id}</span>;
  return (
    <Link to="/messages/$messageId" params={{ messageId: String(id) }} className="text-accent hover:underline">
      message {id}
    </Link>
  );
}

interface HandedProps {
  readonly part: Extract<EnvelopePart, { readonly type: 'message' }>;
  readonly when: ReactNode;
}

const Handed = ({ part: { id, from, person, channel }, when }: HandedProps) => (
  <p className="flex flex-wrap gap-x-2 text-soft text-xs">
    <AgentLink id={from} className="font-semibold text-ink" />
    {person === null ? null : <span>for {person}</span>}
    {channel === null ? null : <span className="text-accent">#{channel}</span>}
    <MessageLink id={id} />
    {when}
  </p>
);

/** What it thinks is there for who wants it; while it thinks, the end of it is seen. */
function Reasoning({ block: { key, text, isStreaming } }: { readonly block: SaidBlock }) {
  const line =
    text
      .trim()
      .split('\n')
      .at(isStreaming ? -1 : 0) ?? '';
  return (
    <div data-block="reasoning">
      <Fold
        name={key}
        summaryLook="cursor-pointer truncate text-soft text-xs italic"
        summary={`${isStreaming ? 'Thinking' : 'Thought'}: ${line}`}
      >
        <div className="border-line border-l-2 pl-3 text-soft italic">
          <Markdown text={text} />
        </div>
      </Fold>
    </div>
  );
}

const Files = ({ block: { key, changes } }: { readonly block: BlockOf<'files'> }) => (
  <ul className="font-mono text-xs" data-block="files">
    {changes.map((change) => (
      <li key={change.path}>
        <Fold
          name={`${key}/${change.path}`}
          summaryLook="break-all"
          summary={
            <>
              <span className="text-accent">{change.change}</span> {change.path}
            </>
          }
        >
          {change.diff === undefined ? null : <DiffView diff={change.diff} path={change.path} />}
        </Fold>
      </li>
    ))}
  </ul>
);

function Turn({ block: { outcome, detail, usage, durationMs, at } }: { readonly block: BlockOf<'turn'> }) {
  const figures = [durationMs === null ? null : `${(durationMs / 1_000).toFixed(1)} s`, usage === null ? null : formatUsage(usage)];
  return (
    <p
      className={`flex flex-wrap gap-x-2 border-line border-t pt-1 text-xs ${outcome === 'failed' ? 'text-bad' : 'text-soft'}`}
      data-block="turn"
    >
      <span>turn {outcome}</span>
      <Ago at={at} />
      <span className="tabular-nums">{figures.filter(Boolean).join(' · ')}</span>
      <span className="[overflow-wrap:anywhere]">{detail}</span>
    </p>
  );
}
