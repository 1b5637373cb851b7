/** Between what waits for a person, which may be nothing, and what somebody has decided. */
export const DecidedHeading = ({ word, isNothingOpen }: { readonly word: string; readonly isNothingOpen: boolean }) => (
  <>
    {isNothingOpen ? <p className="px-4 py-3 text-soft">Nothing waits for you.</p> : null}
    <h3 className="border-line border-y bg-panel px-4 py-1.5 font-medium text-soft text-xs uppercase tracking-wide">{word}</h3>
  </>
);
