export function nameOf(user: {
  readonly id: number;
  readonly first_name: string;
  readonly last_name?: string;
  readonly username?: string;
}): string {
  return (
    nameLine([user.first_name, user.last_name ?? '', user.username === undefined ? '' : `(@${user.username})`].join(' ')) ||
    `user ${user.id}`
  );
}

/** A name that others chose, on one line and of bounded length. */
export const nameLine = (text: string): string => [...text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()].slice(0, 120).join('');
