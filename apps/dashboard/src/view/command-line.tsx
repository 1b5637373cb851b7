import { useState } from 'react';

/** A command for a terminal, and a button that copies it. */
export function CommandLine({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <div className="flex items-center gap-2 rounded-lg border border-line bg-ground py-1 pr-1 pl-3">
      <code className="min-w-0 grow font-mono text-xs [overflow-wrap:anywhere]">{text}</code>
      <button
        type="button"
        className="button px-2 py-0.5 text-xs"
        onClick={copy}
        aria-label={isCopied ? 'Copied the command' : 'Copy the command'}
      >
        {isCopied ? 'Copied' : 'Copy'}
      </button>
    </div>
  );
}
