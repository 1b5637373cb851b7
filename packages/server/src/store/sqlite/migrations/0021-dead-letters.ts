/** Mail of people that failed or expired and waits for one of them to look at it. What failed before this is not in it. */
export const deadLetters = `
CREATE TABLE dead_letters (message_id INTEGER PRIMARY KEY, workspace TEXT NOT NULL);
CREATE INDEX dead_letters_of_workspace ON dead_letters (workspace, message_id);
`;
