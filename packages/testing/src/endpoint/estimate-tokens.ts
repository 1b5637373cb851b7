/** Four characters a token: near enough for a number that only has to be there. */
export const estimateTokens = (content: unknown): number => Math.ceil(JSON.stringify(content ?? '').length / 4);
