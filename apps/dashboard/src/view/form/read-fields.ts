/** What somebody filled in, by the names of the fields. */
export interface Fields {
  /** Without the space around it; empty when there is no such field. */
  text(name: string): string;
  /** The one of these that was chosen, else the first. */
  oneOf<const Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice;
  /** A field that may stay empty: absent from a request when it did. */
  optional<Name extends string>(name: Name): { readonly [Field in Name]?: string };
  /** Every value of a field that may be there several times. */
  all(name: string): readonly string[];
  isOn(name: string): boolean;
}

export function readFields(form: FormData): Fields {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === 'string' ? value.trim() : ''; // else a file
  };
  return {
    text,
    oneOf: (name, choices) => choices.find((choice) => choice === text(name)) ?? choices[0],
    // One key, the one asked for: TypeScript widens a computed key to string.
    optional: <Name extends string>(name: Name) =>
      (text(name) === '' ? {} : { [name]: text(name) }) as { readonly [Field in Name]?: string },
    all: (name) => form.getAll(name).map(String),
    isOn: (name) => form.get(name) === 'on',
  };
}
