/** Up to where an address's mail is that of sessions with a token: the largest number while it is, and until a program without one takes the address. */
export const provenMail = `
ALTER TABLE addresses ADD COLUMN proven_through INTEGER NOT NULL DEFAULT 0;
UPDATE addresses SET proven_through = ${Number.MAX_SAFE_INTEGER}
  WHERE ref IN (SELECT ref FROM agents WHERE json_extract(record, '$.agent.protected'))
    OR EXISTS (SELECT 1 FROM sessions s WHERE s.workspace = addresses.workspace AND s.agent_id = addresses.agent_id);
`;
