/** How many approvals, held messages and callbacks there are of each status, counted without reading them. */
export const countsByStatus = `
CREATE INDEX approvals_by_status ON approvals (workspace, status, agent_id);
CREATE INDEX holds_by_status ON holds (workspace, status, sender);
CREATE INDEX callbacks_by_status ON callbacks (workspace, status, integration);
`;
