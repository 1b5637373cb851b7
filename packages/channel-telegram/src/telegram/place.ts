/** A chat, or one topic of a forum. */
export interface Place {
  readonly chatId: number;
  readonly topicId: number | null;
}

/** How the relay knows the place: the chat's id, and the topic's behind a slash. */
export const conversationIdOf = ({ chatId, topicId }: Place): string => (topicId === null ? `${chatId}` : `${chatId}/${topicId}`);

/** The place of a conversation, or null when no place is called so. */
export function placeOf(conversationId: string): Place | null {
  const [, chat, topic] = /^(-?[1-9]\d{0,15})(?:\/([1-9]\d{0,15}))?$/u.exec(conversationId) ?? [];
  return chat === undefined ? null : { chatId: Number(chat), topicId: topic === undefined ? null : Number(topic) };
}
