/** What a link to a session's log opens, and who made it, as JSON; null for every other token. */
export const shares = `
ALTER TABLE tokens ADD COLUMN share TEXT;
`;
