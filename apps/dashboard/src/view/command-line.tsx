import { useCopy } from './use-copy.ts';

/** A command for a terminal, and a button that copies it. */
export function CommandLine({ text }: { readonly text: string }) {
  const { outcome, copy } = useCopy(text);
  const isCopied = outcome === 'copied';
  return (
    <div className="flex flex-wrap items-center gap-2 rounded-lg border border-line bg-ground py-1 pr-1 pl-3">
      <code className="min-w-0 grow basis-0 select-all font-mono text-xs [overflow-wrap:anywhere]">{text}</code>
      <button
        type="button"
        className="button px-2 py-0.5 text-xs"
        onClick={copy}
        aria-label={isCopied ? 'Copied the command' : 'Copy the command'}
      >
        {isCopied ? 'Copied' : 'Copy'}
      </button>
      {outcome === 'failed' ? (
        <span role="status" className="w-full text-warn text-xs">
          The browser does not let this page copy: select it.
        </span>
      ) : null}
    </div>
  );
}
