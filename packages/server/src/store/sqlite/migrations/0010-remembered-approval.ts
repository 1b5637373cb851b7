/** What held for an agent when it was removed: one that comes back by its own word is held to it. */
export const rememberedApproval = `
ALTER TABLE addresses ADD COLUMN approval TEXT NOT NULL DEFAULT 'open';
`;
