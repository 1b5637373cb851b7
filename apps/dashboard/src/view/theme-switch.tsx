import { useState } from 'react';

const THEME_KEY = 'agent-relay-theme';
const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

const marks: Readonly<Record<Theme, string>> = { system: '◐', light: '☀', dark: '☾' };

const readTheme = (): Theme => themes.find((theme) => theme === window.localStorage.getItem(THEME_KEY)) ?? 'system';

/** Gives the page the colours that were chosen in this browser; without a choice they follow the system. */
export function applyTheme(theme: Theme = readTheme()): void {
  document.documentElement.style.colorScheme = theme === 'system' ? '' : theme;
}

/** Light, dark, or as the system has it. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(readTheme);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
  const change = () => {
    window.localStorage.setItem(THEME_KEY, next);
    applyTheme(next);
    setTheme(next);
  };
  return (
    <button
      type="button"
      className="rounded px-1 text-base text-soft leading-none hover:text-ink"
      aria-label={`Colours: ${theme}. Change to ${next}`}
      title={`Colours: ${theme}`}
      onClick={change}
    >
      {marks[theme]}
    </button>
  );
}
