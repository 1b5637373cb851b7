/**
 * The words of messages and of activity, by the number of each; the text itself stays where it is. `marks` has what they are narrowed by as words of
 * its own. How far the index has come is in `meta`: what is beyond has no row here.
 */
export const search = `
CREATE VIRTUAL TABLE message_words USING fts5(marks, files, text, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE activity_words USING fts5(marks, files, text, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2');
INSERT INTO meta (key, value) VALUES ('indexed_messages', 0), ('indexed_activity', 0);
`;
