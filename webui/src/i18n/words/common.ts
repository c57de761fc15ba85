import type { Word } from '../t';

export const common = {
  'nav.site': ['Site', 'Anlage'],
  'nav.history': ['History', 'Verlauf'],
  'nav.settings': ['Settings', 'Einstellungen'],
  'nav.system': ['System', 'System'],
  'nav.label': ['Main', 'Haupt'],
  'nav.skip': ['Skip to content', 'Zum Inhalt springen'],
  'nav.back': ['Back to the site', 'Zurück zur Anlage'],
  'nav.logout': ['Sign out', 'Abmelden'],
  'nav.nowhere': ['There is nothing at this address.', 'Unter dieser Adresse ist nichts.'],

  'prefs.language': ['Language', 'Sprache'],
  'prefs.theme': ['Appearance', 'Darstellung'],
  'prefs.theme.auto': ['As the device', 'Wie das Gerät'],
  'prefs.theme.light': ['Light', 'Hell'],
  'prefs.theme.dark': ['Dark', 'Dunkel'],

  'act.save': ['Save', 'Speichern'],
  'act.cancel': ['Cancel', 'Abbrechen'],
  'act.close': ['Close', 'Schließen'],
  'act.apply': ['Apply', 'Anwenden'],
  'act.remove': ['Remove', 'Entfernen'],
  'act.retry': ['Try again', 'Noch einmal'],
  'act.done': ['Saved', 'Gespeichert'],
  'act.working': ['One moment …', 'Einen Moment …'],

  'error.unreachable': ['The box does not answer. Is this device still in its network?', 'Die Box antwortet nicht. Ist dieses Gerät noch in ihrem Netz?'],
  'error.refused': ['The box refused: {message}', 'Die Box hat abgelehnt: {message}'],
  'error.unknown': ['That did not work (status {status}).', 'Das hat nicht geklappt (Status {status}).'],
} satisfies Record<string, Word>;
