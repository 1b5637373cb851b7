/** The path of a Chromium or Chrome on this machine, for Playwright's `executablePath`; undefined when there is none. */
export declare function findChromium(): string | undefined;

/** The path of a Chromium without a window, which draws the same pages for half of the processor's time; undefined when there is none. */
export declare function findHeadlessShell(): string | undefined;
