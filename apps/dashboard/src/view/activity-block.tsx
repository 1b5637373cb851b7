import type { ActivityBlock } from '../relay/activity-blocks.ts';
import { Fold } from './fold.tsx';
import { formatTime } from './format.ts';
import { known } from './known.ts';

const tones = { info: 'text-soft', warning: 'text-warn', error: 'text-bad' } as const;
const outcomes = {
  running: { mark: '…', tone: 'text-accent' },
  succeeded: { mark: '✔', tone: 'text-good' },
  failed: { mark: '✕', tone: 'text-bad' },
  declined: { mark: '⊘', tone: 'text-warn' },
  interrupted: { mark: '■', tone: 'text-warn' },
} as const;
const steps = { pending: '○', active: '◐', done: '●' } as const;

export function ActivityBlockView({ block }: { readonly block: ActivityBlock }) {
  switch (block.kind) {
    case 'prompt':
      return (
        <blockquote className="whitespace-pre-wrap break-words rounded-lg border-accent border-l-2 bg-raised px-3 py-2" data-block="prompt">
          {block.text}
        </blockquote>
      );
    case 'text':
      return (
        <p className="whitespace-pre-wrap break-words" data-block="text">
          {block.text}
          {block.isStreaming ? <span className="ml-0.5 inline-block h-4 w-1.5 animate-pulse bg-accent align-text-bottom" /> : null}
        </p>
      );
    case 'reasoning':
      return <p className="whitespace-pre-wrap break-words text-soft italic">{block.text}</p>;
    case 'tool':
      return (
        <div className="rounded-lg border border-line" data-block="tool">
          <Fold
            name={block.key}
            summaryLook="flex items-center gap-2 px-3 py-1.5 font-mono text-xs"
            summary={
              <>
                <Outcome outcome={block.outcome} />
                <span className="font-semibold">{block.name}</span>
                <span className="min-w-0 truncate text-soft" title={block.title}>
                  {block.title}
                </span>
              </>
            }
          >
            {block.output === '' ? null : (
              <pre className="max-h-64 overflow-auto whitespace-pre-wrap break-words border-line border-t px-3 py-2 font-mono text-xs">
                {block.output}
              </pre>
            )}
          </Fold>
        </div>
      );
    case 'files':
      return (
        <ul className="font-mono text-xs" data-block="files">
          {block.changes.map((change) => (
            <li key={change.path}>
              <Fold
                name={`${block.key}/${change.path}`}
                summaryLook="break-all"
                summary={
                  <>
                    <span className="text-accent">{change.change}</span> {change.path}
                  </>
                }
              >
                {change.diff === undefined ? null : <pre className="overflow-auto rounded bg-raised p-2">{change.diff}</pre>}
              </Fold>
            </li>
          ))}
        </ul>
      );
    case 'plan':
      return (
        <ol className="text-soft text-xs">
          {block.steps.map(({ step, status }) => (
            <li key={step}>
              {known<string>(steps, status, (word) => `(${word})`)} {step}
            </li>
          ))}
        </ol>
      );
    case 'turn':
      return (
        <p className={`border-line border-t pt-1 text-xs ${block.outcome === 'failed' ? 'text-bad' : 'text-soft'}`} data-block="turn">
          turn {block.outcome} {formatTime(block.at)} {block.detail}
        </p>
      );
    case 'notice':
      return <p className={`text-xs ${tones[block.tone]}`}>{block.text}</p>;
  }
}

function Outcome({ outcome }: { readonly outcome: Extract<ActivityBlock, { kind: 'tool' }>['outcome'] }) {
  const { mark, tone } = known<{ readonly mark: string; readonly tone: string }>(outcomes, outcome, (word) => ({
    mark: word,
    tone: 'text-soft',
  }));
  return <span className={tone}>{mark}</span>;
}
