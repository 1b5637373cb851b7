import { useId, useState } from 'react';
import { readShownRun, type ShownRun } from '../../relay/recorded-run.ts';
import { Problem } from '../problem.tsx';

/** A recorded run that was opened. */
export interface OpenRun extends ShownRun {
  readonly name: string;
}

/** Opens a file that `agent-relay record` wrote; it stays in this page. */
export function OpenRunButton({ onOpen }: { readonly onOpen: (run: OpenRun) => void }) {
  const id = useId();
  const [error, setError] = useState<unknown>(null);
  const open = async (file: File) => {
    try {
      const run = readShownRun(await file.text());
      setError(null);
      onOpen({ name: file.name, ...run });
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <>
      <Problem error={error} />
      <label htmlFor={id} className="button cursor-pointer px-2 py-0.5 text-xs focus-within:outline-2">
        Open a run
        <input
          id={id}
          type="file"
          className="sr-only"
          accept=".ndjson,.jsonl,application/x-ndjson"
          onChange={({ target }) => {
            const [file] = target.files ?? [];
            if (file) void open(file);
            target.value = '';
          }}
        />
      </label>
    </>
  );
}
