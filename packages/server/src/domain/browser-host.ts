/**
 * The name under which a browser of the relay's machine opens it. Browsers send cookies to every port of a host, and take every name below
 * `localhost` for this machine: a name that nothing else uses keeps the relay's cookies to itself.
 */
export const browserHostOf = (generation: string): string =>
  `relay-${generation
    .toLowerCase()
    .replace(/[^a-z0-9]/gu, '')
    .slice(0, 12)}.localhost`;
