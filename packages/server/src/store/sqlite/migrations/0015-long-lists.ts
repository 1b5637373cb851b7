/** What one session of an agent did, found without its other sessions; and the sources of tasks, counted without reading the tasks. */
export const longLists = `
CREATE INDEX activity_of_session ON activity (workspace, agent_id, session_id, id);
CREATE INDEX tasks_by_source ON tasks (workspace, source, is_active, last_seen_at);
`;
