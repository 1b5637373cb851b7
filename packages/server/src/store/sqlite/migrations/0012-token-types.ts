/** Tokens are called in the database as on the wire: what an agent's session holds was `agent`, a browser's was `owner`. */
export const tokenTypes = `
UPDATE tokens SET type = 'session' WHERE type = 'agent';
UPDATE tokens SET type = 'browser' WHERE type = 'owner';
`;
