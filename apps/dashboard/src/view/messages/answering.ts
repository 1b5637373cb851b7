import type { MessageDetail } from 'agent-relay-client';
import { createContext } from 'react';

/** What there is to know of a message in order to answer it. */
export type AnsweredMessage = Pick<MessageDetail, 'id' | 'from'>;

/** Where a page has a box to write in: takes a message to be answered there. */
export const AnsweringContext = createContext<((message: AnsweredMessage) => void) | null>(null);

/** Where a page shows what did not arrive: each can be dismissed there. */
export const DismissingContext = createContext(false);
