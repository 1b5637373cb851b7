/** A rule names its agent as everything else does. Inside of a text the quotes of such a name are escaped, so that nothing but the name is met. */
export const rulesNameAgents = `
UPDATE records SET record = replace(record, '"agent":', '"agentId":') WHERE resource = 'approval-rules';
UPDATE events SET body = replace(body, '"agent":', '"agentId":') WHERE type IN ('rule.created', 'rule.used', 'rule.ended');
`;
