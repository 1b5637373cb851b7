/**
 * A kind of record that needs no table of its own: the store keeps each under its number, which is that of the log's entry that began it, and finds
 * it under the keys it has. What it may become, and what follows from that, is the resource's own business.
 */
export interface Resource<Kept extends { readonly id: number }> {
  /** What the store knows the kind by: no other's, and the same for ever. */
  readonly name: string;
  /** Reads what the store kept. A later version may have written it. */
  readonly read: (stored: unknown) => Kept;
  /** Under what it is listed beside its number, see `recordKey`. */
  readonly keys: (record: Kept) => readonly string[];
  /** Keys that one record has at a time: the store takes no second one. */
  readonly exclusive: (record: Kept) => readonly string[];
  /** One that is open is kept however old it is. */
  readonly isOpen: (record: Kept) => boolean;
}

/** A record as a change writes it. */
export interface RecordWrite {
  readonly resource: string;
  readonly id: number;
  readonly isOpen: boolean;
  readonly keys: readonly string[];
  readonly exclusive: readonly string[];
  readonly record: object;
}

/** The records that there are, as a decision sees them. */
export interface RecordFacts {
  find<Kept extends { readonly id: number }>(resource: Resource<Kept>, id: number): Kept | null;
  /** All that have a key, the newest first. */
  under<Kept extends { readonly id: number }>(resource: Resource<Kept>, key: string): readonly Kept[];
}

/** One value for each field that is asked for together, e.g. `agent=Lead status=active`; an absent one is not part of it. No value has a space in it. */
export const recordKey = (fields: Readonly<Record<string, string | undefined>>): string =>
  Object.keys(fields)
    .sort()
    .flatMap((name) => (fields[name] === undefined ? [] : [`${name}=${fields[name]}`]))
    .join(' ');

export const recordWrite = <Kept extends { readonly id: number }>(resource: Resource<Kept>, record: Kept): RecordWrite => ({
  resource: resource.name,
  id: record.id,
  isOpen: resource.isOpen(record),
  keys: resource.keys(record),
  exclusive: resource.exclusive(record),
  record,
});
