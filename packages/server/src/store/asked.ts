/** What a list is asked for with, whatever it lists. */
export interface Asked {
  /** Who asks, by one name for all that it asks: however much of it takes long, callers wait for each other alike. */
  readonly caller?: string | undefined;
}
