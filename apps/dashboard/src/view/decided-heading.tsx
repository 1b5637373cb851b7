interface DecidedHeadingProps {
  readonly word: string;
  readonly isNothingOpen: boolean;
  /** Said where nothing is open. */
  readonly nothing?: string;
}

/** Between what waits for a person, which may be nothing, and what somebody has decided. */
export const DecidedHeading = ({ word, isNothingOpen, nothing = 'Nothing waits for you.' }: DecidedHeadingProps) => (
  <>
    {isNothingOpen ? <p className="px-4 py-3 text-soft">{nothing}</p> : null}
    <h3 className="border-line border-y bg-panel px-4 py-1.5 font-medium text-soft text-xs uppercase tracking-wide">{word}</h3>
  </>
);
