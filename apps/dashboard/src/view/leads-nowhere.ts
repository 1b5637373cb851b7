import { createContext } from 'react';

/** Whether what is named here leads to no page of its own, because whoever looks may see no other. */
export const LeadsNowhere = createContext(false);
