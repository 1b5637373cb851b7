/** What a token that a person made may do, as JSON; null for those whose type alone says it. */
export const tokenGrants = `
ALTER TABLE tokens ADD COLUMN grants TEXT;
`;
