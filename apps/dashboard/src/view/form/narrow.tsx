interface NarrowProps {
  readonly label: string;
  /** What may be meant. */
  readonly list: readonly string[];
  readonly value: string | undefined;
  /** Said while nothing narrows. */
  readonly all?: string;
  readonly onSet: (value: string) => void;
}

/** A field that narrows once it is left: half a word names nothing. */
export const Narrow = ({ label, list, value = '', all = `every ${label.toLowerCase()}`, onSet }: NarrowProps) => (
  <>
    <input
      key={value}
      aria-label={label}
      className="field w-32 min-w-0 text-xs max-sm:w-28 max-sm:grow"
      placeholder={all}
      list={`narrow-${label}`}
      defaultValue={value}
      onChange={({ target }) => list.includes(target.value) && onSet(target.value)}
      onBlur={({ target }) => target.value !== value && onSet(target.value)}
      onKeyDown={({ key, currentTarget }) => key === 'Enter' && onSet(currentTarget.value)}
    />
    <datalist id={`narrow-${label}`}>
      {list.map((word) => (
        <option key={word} value={word} />
      ))}
    </datalist>
  </>
);
