import type { ActivityBlock } from '../relay/activity-blocks.ts';
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

/** A call of a tool: in one line what it was, unfolded what went in and what came out. */
export const ToolCallView = ({ block }: { readonly block: ToolBlock }) => (
  <div className={`rounded-lg border border-line ${block.isOfSubAgent ? 'ml-6' : ''}`} data-block="tool">
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
          {block.exitCode === null || block.exitCode === 0 ? null : <span className="shrink-0 text-bad">exit {block.exitCode}</span>}
        </>
      }
    >
      <div className="grid grid-cols-[minmax(0,1fr)] gap-2 border-line border-t px-3 py-2">
        <Input input={block.input} />
        <Output output={block.output} />
      </div>
    </Fold>
  </div>
);

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
