const longest = 256;

/** Whether it may go on a command line as the name of a model: nothing that could be an option, or that none can carry. */
export const isModelName = (name: string): boolean => name !== '' && name.length <= longest && !/^-|\p{Cc}/u.test(name);
