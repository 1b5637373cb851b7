/** Keeps a machine's proxy settings from catching requests to loopback. */
export const loopbackWithoutProxy: Readonly<Record<string, string>> = { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' };
