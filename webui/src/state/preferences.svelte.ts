// What this reader prefers: language, and light or dark. Kept in this browser only.

export type Language = 'en' | 'de';
export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'dlb.preferences';

interface Kept {
  language?: Language;
  theme?: Theme;
}

function kept(): Kept {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Kept;
  } catch {
    return {};
  }
}

function browserLanguage(): Language {
  const wanted = typeof navigator === 'undefined' ? [] : navigator.languages;
  return wanted.find((tag) => /^(de|en)\b/.test(tag))?.startsWith('de') ? 'de' : 'en';
}

class Preferences {
  language = $state<Language>('en');
  theme = $state<Theme>('auto');

  constructor() {
    const { language, theme } = typeof localStorage === 'undefined' ? {} : kept();
    this.language = language === 'de' || language === 'en' ? language : browserLanguage();
    this.theme = theme === 'light' || theme === 'dark' ? theme : 'auto';
  }

  keep(change: Kept): void {
    Object.assign(this, change);
    try {
      localStorage.setItem(KEY, JSON.stringify({ ...kept(), ...change }));
    } catch {
      // A browser that keeps nothing still shows the page.
    }
  }
}

export const preferences = new Preferences();

/** Follows the preferences, and the system's colours while the theme is `auto`. */
export function showPreferences(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let systemDark = $state(dark.matches);
  dark.addEventListener('change', () => (systemDark = dark.matches));
  $effect.root(() => {
    $effect(() => {
      const { language, theme } = preferences;
      document.documentElement.lang = language;
      document.documentElement.dataset.theme = theme === 'auto' ? (systemDark ? 'dark' : 'light') : theme;
    });
  });
}
