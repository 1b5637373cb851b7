import type { Approval } from 'agent-relay-protocol';
import { CodeText } from '../code/code-text.tsx';
import { DiffLines } from '../diff-view.tsx';
import { type InputPart, partsOf } from './approval-words.ts';

const tones: Readonly<Record<InputPart['look'], string>> = {
  command: 'bg-raised',
  removed: 'bg-bad/10',
  added: 'bg-good/10',
  diff: 'bg-raised',
  plain: 'bg-raised',
};

/** Fits beside its name. */
const SHORT = 100;

/** All of what would run, each part to be read to its end. */
export function ApprovalInput({ input }: { readonly input: Exclude<Approval['input'], undefined> }) {
  return (
    <dl className="grid max-w-4xl gap-1.5" dir="ltr">
      {partsOf(input).map((part, index) => (
        <Part key={`${part.name}/${index}`} part={part} />
      ))}
    </dl>
  );
}

function Part({ part: { name, text, look, file } }: { readonly part: InputPart }) {
  if (look === 'plain' && name !== null && text.length <= SHORT && !text.includes('\n')) {
    return (
      <div className="flex flex-wrap items-baseline gap-x-2 text-xs">
        <dt className="text-soft">{name}</dt>
        <dd className="min-w-0 whitespace-pre-wrap break-words font-mono">{text}</dd>
      </div>
    );
  }
  return (
    <div className="grid gap-0.5">
      <dt className={name === null ? 'sr-only' : 'text-soft text-xs'}>{name ?? 'Input'}</dt>
      <dd>
        <pre
          className={`max-h-72 overflow-auto whitespace-pre-wrap break-words rounded-lg py-1.5 font-mono text-xs ${tones[look]} ${look === 'diff' ? 'px-1' : 'px-3'}`}
        >
          {look === 'diff' ? <DiffLines diff={text} path={file ?? null} /> : <CodeText text={text} name={file ?? null} />}
        </pre>
      </dd>
    </div>
  );
}
