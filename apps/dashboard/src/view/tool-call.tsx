import { type ReactNode, use, useState } from 'react';
import type { ActivityBlock } from '../relay/activity-blocks.ts';
import { TreeContext } from './activity-tree-context.ts';
import { DiffView } from './diff-view.tsx';
import { Fold } from './fold.tsx';
import { JsonView } from './json-view.tsx';
import { known } from './known.ts';

type ToolBlock = Extract<ActivityBlock, { readonly kind: 'tool' }>;

const outcomes = {
  running: { mark: '…', tone: 'text-accent' },
  succeeded: { mark: '✔', tone: 'text-good' },
  failed: { mark: '✕', tone: 'text-bad' },
  declined: { mark: '⊘', tone: 'text-warn' },
  interrupted: { mark: '■', tone: 'text-warn' },
} as const;

interface ToolCallViewProps {
  readonly block: ToolBlock;
  /** How what its sub-agent did is shown. */
  readonly show: (block: ActivityBlock) => ReactNode;
}

/** A call of a tool: in one line what it was, unfolded what went in, what a sub-agent that it started did, and what came out. */
export function ToolCallView({ block, show }: ToolCallViewProps) {
  const { childrenOf, isAroundFound } = use(TreeContext);
  const children = childrenOf(block.key);
  return (
    <div className="rounded-lg border border-line" data-block="tool">
      <Fold
        name={block.key}
        startsOpen={isAroundFound(block.key)}
        summaryLook="flex items-center gap-2 px-3 py-1.5 font-mono text-xs"
        summary={
          <>
            <Outcome outcome={block.outcome} />
            <span className="font-semibold">{block.name}</span>
            <span className="min-w-0 truncate text-soft" title={block.title}>
              {block.title}
            </span>
            {block.exitCode === null || block.exitCode === 0 ? null : <span className="shrink-0 text-bad">exit {block.exitCode}</span>}
            {children.length === 0 ? null : <SubAgentNote isRunning={block.outcome === 'running'} steps={children} />}
          </>
        }
      >
        <div className="grid grid-cols-[minmax(0,1fr)] gap-2 border-line border-t px-3 py-2">
          <Input input={block.input} />
          {children.length === 0 ? null : <Steps steps={children} show={show} isWhole={isAroundFound(block.key)} />}
          <Output output={block.output} />
        </div>
      </Fold>
    </div>
  );
}

/** So many of what a sub-agent did are shown at first. */
const STEPS_SHOWN = 100;

interface StepsProps extends Pick<ToolCallViewProps, 'show'> {
  readonly steps: readonly ActivityBlock[];
  readonly isWhole: boolean;
}

/** What a sub-agent did, the latest of it where it is much. */
function Steps({ steps, show, isWhole }: StepsProps) {
  const [isAll, setAll] = useState(isWhole);
  const before = isAll ? 0 : Math.max(0, steps.length - STEPS_SHOWN);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-1.5 border-line border-l-2 pl-3">
      {before === 0 ? null : (
        <button type="button" className="w-fit text-accent text-xs hover:underline" onClick={() => setAll(true)}>
          Show the {before} before
        </button>
      )}
      <ul aria-label="What its sub-agent did" className="grid grid-cols-[minmax(0,1fr)] gap-1.5">
        {steps.slice(before).map((step) => (
          <li key={step.key}>{show(step)}</li>
        ))}
      </ul>
    </div>
  );
}

/** How much a sub-agent did; while it is at work, at what it is. */
function SubAgentNote({ isRunning, steps }: { readonly isRunning: boolean; readonly steps: readonly ActivityBlock[] }) {
  const latest = steps.findLast((step) => step.kind === 'tool');
  return (
    <span className="ml-auto min-w-0 shrink-0 truncate pl-2 text-soft">
      {isRunning && latest !== undefined ? `${latest.name} · ` : ''}
      {steps.length === 1 ? 'one step' : `${steps.length} steps`}
    </span>
  );
}

function Input({ input }: Pick<ToolBlock, 'input'>) {
  if (input === null || input === undefined) return null;
  const command = commandOf(input);
  if (command === null) return <JsonView value={input} />;
  return (
    <pre className="overflow-auto whitespace-pre-wrap font-mono text-xs [overflow-wrap:anywhere]">
      <span className="select-none text-soft">$ </span>
      {command}
    </pre>
  );
}

/** The command of a call that runs one and nothing else worth telling. */
export function commandOf(input: ToolBlock['input']): string | null {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return null;
  const { command } = input as { readonly command?: unknown };
  if (Array.isArray(command) && command.every((word) => typeof word === 'string')) return command.join(' ');
  return typeof command === 'string' ? command : null;
}

function Output({ output }: Pick<ToolBlock, 'output'>) {
  if (output === '') return null;
  if (/^(?:diff --git |--- .*\n\+\+\+ |@@ )/u.test(output)) return <DiffView diff={output} />;
  return (
    <pre className="max-h-64 overflow-auto whitespace-pre-wrap font-mono text-xs [overflow-wrap:anywhere]" data-output>
      {output}
    </pre>
  );
}

function Outcome({ outcome }: Pick<ToolBlock, 'outcome'>) {
  const { mark, tone } = known<{ readonly mark: string; readonly tone: string }>(outcomes, outcome, (word) => ({
    mark: word,
    tone: 'text-soft',
  }));
  return <span className={tone}>{mark}</span>;
}
