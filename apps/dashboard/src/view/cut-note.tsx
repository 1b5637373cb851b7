/** Below what is open, where not all of it is shown. */
export const CutNote = ({ shown, count }: { readonly shown: number; readonly count: number }) =>
  count <= shown ? null : (
    <p className="p-4 text-center text-soft text-xs">
      The newest {shown.toLocaleString('en')} of {count.toLocaleString('en')} are shown; the others follow as these are decided.
    </p>
  );
