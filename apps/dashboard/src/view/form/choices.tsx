interface ChoicesProps extends Omit<React.ComponentProps<'select'>, 'children'> {
  readonly choices: readonly {
    readonly id: string;
    readonly word: string;
    readonly isDisabled?: boolean;
    readonly hint?: string | undefined;
  }[];
}

/** A field with a few answers. */
export const Choices = ({ choices, ...select }: ChoicesProps) => (
  <select {...select}>
    {choices.map(({ id, word, isDisabled, hint }) => (
      <option key={id} value={id} disabled={isDisabled} title={hint}>
        {word}
      </option>
    ))}
  </select>
);
