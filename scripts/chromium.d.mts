/** The path of a Chromium or Chrome on this machine, for Playwright's `executablePath`; undefined when there is none. */
export declare function findChromium(): string | undefined;
